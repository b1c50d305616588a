import sys; sys.path[:0]=["/work/main/Testing/slicer"]
import pytest
from scout_case import take_scout_case
from tutorial_pictures import widget_picture, save
from pathlib import Path
from hands import texts_of, type_into
import time

def test_look(panel, scene):
    take_scout_case(panel, scene)
    for s,b in (("LungShunt","lungShuntButton"),("Ratios","ratiosButton"),("Foci","fociButton")):
        getattr(panel.ui(s), b).collapsed = False
    t=panel.ui("LungShunt").planarTable
    for r,vals in enumerate((("41000","52000"),("910000","480000"))):
        for c,v in enumerate(vals): type_into(t,r,c+1,v)
    panel.click("LungShunt","countsShuntButton"); panel.idle()
    for s,b in (("LungShunt","spectShuntButton"),("Ratios","measureButton"),("Foci","findFociButton")):
        a=time.perf_counter(); panel.click(s,b); panel.idle(); print(b, time.perf_counter()-a)
    panel.ui("LungShunt").shuntsTable.selectRow(0); panel.spin()
    panel.click("LungShunt","useShuntButton"); panel.idle()
    for s in ("LungShunt","Ratios","Foci"):
        save(widget_picture(panel, panel.sections[f"{s}Section"].widget), Path(f"/tmp/slicerH2/{s}.png"))
    print(texts_of(panel.ui("LungShunt").shuntsTable)); print(texts_of(panel.ui("Ratios").ratiosTable)); print(texts_of(panel.ui("Foci").fociTable))
    print(panel.session.status)

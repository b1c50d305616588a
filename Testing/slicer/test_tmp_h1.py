import pytest, slicer_headless, time
slicer_headless.require_slicer()
import slicer, slicer_module_standins
from hands import pick, texts_of
from artery_case import small_tree
from artery_scene import vessel_segment, tree_lines, drag, point_number
from pathlib import Path
from tutorial_pictures import save, widget_picture
pytestmark=[pytest.mark.slicer, pytest.mark.gui]
@pytest.mark.process
def test_process(small, scene):
    small.session.change(sites=(), site_points=None, lung_shunt=0.05)
    n,k=vessel_segment(scene,tree_lines())
    small.spin()
    small.ui("Arteries").arteriesButton.collapsed=False
    small.ui("ArterySites").arterySitesButton.collapsed=False
    pick(small.ui("Arteries").arteriesSourceBox, f"segment|{n.GetID()}|{k}")
    t=time.time()
    small.click("Arteries","extractButton"); small.idle(); print("extract",time.time()-t, small.ui("Arteries").arteriesLabel.text)
    small.ui("ArterySites").smallestRadiusBox.value=0.4
    pick(small.ui("ArterySites").arteryModelBox,"flow")
    t=time.time(); small.click("ArterySites","offerSitesButton"); small.idle(); print("offer",time.time()-t, small.session.status)
    pts=small.parameters.artery_points
    t=time.time(); drag(pts,0,(0.,-12.,-20.)); small.spin(0.2); print("label while", small.ui("ArterySites").arterySitesLabel.text, small.session.runner.is_running)
    # second drag while running
    drag(pts,1,(-30.,-9.,0.)); small.spin(0.2)
    small.until(lambda: not small.session.runner.is_running and not small.sections["ArterySitesSection"]._later.active and not small.sections["ArterySitesSection"]._waits); small.idle(); small.spin(0.3); small.idle(); print("drag",time.time()-t, small.session.status)
    print(small.session.problem, small.sections["ArterySitesSection"].desk.reasons())
    print(*texts_of(small.ui("ArterySites").coverageTable),sep="\n")
    print(small.ui("ArterySites").arterySitesLabel.text)
    save(widget_picture(small, small.sections["SitesSection"].widget), Path("/tmp/slicerH1/panel2.png"))

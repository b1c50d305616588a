import time, cProfile, pstats, pytest
from hands import slider
pytestmark=[pytest.mark.slicer, pytest.mark.gui]
def test_p(panel):
    from RadioembolizationPlannerLib.synthetic import load_synthetic_patient
    load_synthetic_patient(panel.session, spacing_mm=2.0)
    panel.idle()
    panel.click("Plan","dosesButton"); panel.idle(300)
    m=slider(panel, panel.parameters.sites[0].name)
    m.value=1.0
    pr=cProfile.Profile(); c=time.process_time(); t=time.perf_counter()
    for k in range(10):
        pr.enable(); m.value=1.0+0.05*(k+1); pr.disable()
    print("slider cpu", (time.process_time()-c)/10, "wall", (time.perf_counter()-t)/10)
    pstats.Stats(pr).sort_stats("tottime").print_stats(16)
    pstats.Stats(pr).sort_stats("cumulative").print_stats(30)
    panel.spin(1)
    pr=cProfile.Profile(); c=time.process_time(); t=time.perf_counter()
    pr.enable(); panel.click("Plan","keepButton"); pr.disable()
    print("keep cpu", (time.process_time()-c), "wall", (time.perf_counter()-t))
    pstats.Stats(pr).sort_stats("cumulative").print_stats(45)

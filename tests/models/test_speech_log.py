"""The figures of a training run: JSON lines that survive a kill, and their plot."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from models.training.speech.log import RunLog
from models.training.speech.plot import Curve, draw

SVG = "{http://www.w3.org/2000/svg}"


def test_given_a_last_line_that_was_cut_off_then_the_others_are_read(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    log.add(step=1, loss=2.0)
    log.add(step=2, loss=1.5)
    with log.path.open("a") as file:
        file.write('{"step": 3, "lo')
    assert log.read() == [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.5}]


def test_given_a_resumed_run_then_figures_behind_its_checkpoint_are_dropped(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    log.add(note="begin")
    for step in (1, 2, 3):
        log.add(step=step, loss=1.0)
    log.rewind(2)
    assert log.read() == [{"note": "begin"}, {"step": 1, "loss": 1.0}, {"step": 2, "loss": 1.0}]


def test_given_a_folder_that_is_gone_then_the_run_goes_on(tmp_path: Path) -> None:
    shown: list[str] = []
    log = RunLog(tmp_path / "gone", shown.append)
    log.add(step=1, loss=0.123456)
    log.rewind(1)
    log.plot()
    assert shown == ["step 1  loss 0.1235"]
    assert log.read() == []


def test_the_plot_has_a_panel_for_each_figure_and_keeps_inside_it(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    for step, loss in enumerate((3.0, 2.0, 1.0)):
        log.add(step=step, loss=loss)
    log.add(step=2, phone_error_rate=0.5)
    log.plot()
    root = ElementTree.fromstring((tmp_path / "plot.svg").read_text())
    lines = root.findall(f"{SVG}polyline")
    assert len(lines) == 2
    points = [tuple(map(float, pair.split(","))) for pair in lines[0].attrib["points"].split()]
    heights = [y for _, y in points]
    assert heights == sorted(heights)  # The loss falls, and SVG counts down.
    assert all(48 <= x <= 672 for x, _ in points)


def test_given_no_figures_then_the_plot_is_still_a_picture() -> None:
    assert ElementTree.fromstring(draw([Curve("loss & more", [])], "steps")).tag == f"{SVG}svg"

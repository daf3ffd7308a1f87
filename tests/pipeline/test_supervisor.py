"""Who is started again, when, and when no more. Time is given."""

from __future__ import annotations

import msgspec
import pytest

from pipeline.configuration import Configuration, SupervisionSection
from pipeline.placement import Placement
from pipeline.plan import WorkerSpec, make_plan
from pipeline.supervisor import START_SECONDS, Supervisor
from pipeline.wire import Beat

SECTION = SupervisionSection(
    hang_seconds=20, first_delay=0.1, longest_delay=1.0, tries=6, settled_seconds=10
)


class Workers(Placement):
    """Workers that die when a test says so."""

    def __init__(self) -> None:
        self.started: list[WorkerSpec] = []
        self.ended: dict[str, str] = {}
        self.killable = True

    def start(self, spec: WorkerSpec) -> None:
        self.started.append(spec)
        self.ended.pop(spec.name, None)

    def pulses(self) -> dict[int, str]:
        return {}

    def dead(self) -> dict[str, str]:
        return dict(self.ended)

    def kill(self, names: set[str]) -> bool:
        return self.killable and bool(names)

    def join(self, names: set[str], seconds: float) -> None: ...

    def close(self) -> None: ...


class World:
    def __init__(self, section: SupervisionSection = SECTION) -> None:
        self.now = 100.0
        self.workers = Workers()
        plan = make_plan(Configuration(), "/nowhere")
        self.supervisor = Supervisor(plan, self.workers, section, clock=lambda: self.now)
        self.supervisor.start_all()
        for name in self.supervisor.workers:
            self.supervisor.note_ready(name, {})

    def die(self, name: str) -> list[str]:
        self.workers.ended[name] = "it was killed by SIGKILL"
        return [change.kind for change in self.supervisor.check()]

    def until_started(self, name: str) -> float:
        begun, count = self.now, len(self.workers.started)
        while len(self.workers.started) == count:
            self.now += 0.01
            self.supervisor.check()
            assert self.now < begun + 100
        assert self.workers.started[-1].name == name
        return self.now - begun


@pytest.fixture
def world() -> World:
    return World()


def test_a_stage_that_dies_is_started_again_in_the_next_epoch(world: World) -> None:
    assert world.die("segmenter") == ["died"]
    assert not world.supervisor.all_run
    world.until_started("segmenter")
    assert world.workers.started[-1].epoch == 1
    assert world.supervisor.note_ready("segmenter", {})
    assert world.supervisor.epoch == 1
    assert world.supervisor.all_run
    worker = world.supervisor.workers["segmenter"]
    assert (worker.restarts, worker.reason) == (1, "it was killed by SIGKILL")


def test_the_delay_doubles_up_to_its_bound_and_then_it_is_given_up(world: World) -> None:
    delays = []
    for _ in range(6):
        assert world.die("segmenter") == ["died"]
        delays.append(world.until_started("segmenter"))
        world.supervisor.note_ready("segmenter", {})
    assert delays == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0], abs=0.02)
    assert world.die("segmenter") == ["given-up"]
    world.now += 1000
    for name in world.supervisor.workers:
        world.supervisor.note_beat(name, Beat())
    assert world.supervisor.check() == []
    assert world.supervisor.workers["segmenter"].state == "given-up"
    assert world.supervisor.workers["publisher"].state == "running", "the others go on"


@pytest.mark.parametrize("beats", [True, False])
def test_one_that_worked_for_a_while_has_recovered(world: World, beats: bool) -> None:
    """Also if it dies before its next heartbeat."""
    for _ in range(3):
        world.die("segmenter")
        world.until_started("segmenter")
        world.supervisor.note_ready("segmenter", {})
    world.now += 10.1
    if beats:
        world.supervisor.note_beat("segmenter", Beat())
    world.die("segmenter")
    assert world.until_started("segmenter") == pytest.approx(0.1, abs=0.02)


def test_one_that_shows_no_life_is_killed_and_started_again(world: World) -> None:
    world.now += 15
    for name in set(world.supervisor.workers) - {"segmenter"}:
        world.supervisor.note_beat(name, Beat())
    world.now += 6
    changes = world.supervisor.check()
    assert [(c.kind, c.worker.spec.name) for c in changes] == [("died", "segmenter")]
    assert "no life" in world.supervisor.workers["segmenter"].reason


def test_a_thread_that_hangs_can_not_be_killed_and_that_is_told(world: World) -> None:
    world.workers.killable = False
    world.now += 21
    assert {change.kind for change in world.supervisor.check()} == {"hangs"}


def test_one_that_never_gets_ready_counts_as_dead(world: World) -> None:
    world.die("segmenter")
    world.until_started("segmenter")
    for _ in range(round(START_SECONDS) + 1):
        world.now += 1
        for name in set(world.supervisor.workers) - {"segmenter"}:
            world.supervisor.note_beat(name, Beat())
        changes = world.supervisor.check()
    assert [change.worker.spec.name for change in changes] == ["segmenter"]


def test_a_source_that_dies_makes_nobody_send_anew(world: World) -> None:
    world.die("source-microphone")
    world.until_started("source-microphone")
    world.supervisor.note_ready("source-microphone", {})
    assert world.supervisor.epoch == 0
    assert world.workers.started[-1].restarts == 1


def test_what_the_dead_one_had_dropped_still_counts(world: World) -> None:
    world.supervisor.note_beat("segmenter", Beat(dropped=7))
    world.die("segmenter")
    world.until_started("segmenter")
    world.supervisor.note_beat("segmenter", Beat(dropped=2))
    worker = world.supervisor.workers["segmenter"]
    assert worker.dropped + worker.beat.dropped == 9


def test_a_recording_goes_on_where_it_would_be_now(world: World) -> None:
    figures = {"stream": 3.0, "position": 16_000.0, "at": world.now}
    world.supervisor.note_beat("source-microphone", Beat(figures=figures))
    world.die("source-microphone")
    passed = world.until_started("source-microphone")
    spec = world.workers.started[-1]
    assert spec.stream == 3
    assert spec.position == pytest.approx(16_000 * (1 + passed), abs=200)


def test_another_specification_is_no_death(world: World) -> None:
    spec = world.supervisor.workers["segmenter"].spec
    other = msgspec.structs.replace(spec, directory="/elsewhere")
    world.supervisor.replace("segmenter", other)
    assert world.workers.started[-1].directory == "/elsewhere"
    assert world.supervisor.workers["segmenter"].deaths == 0

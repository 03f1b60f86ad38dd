"""The plan of docs/DESIGN.md is the house as it stands: no circles, imports go down, nothing grows out of hand."""

from __future__ import annotations

from house import plan

LOWER = "import from lower floors only: docs/DESIGN.md, The plan of the house"


def test_no_circle() -> None:
    assert plan.circle(plan.graph()) == [], LOWER


def test_imports_go_down() -> None:
    assert plan.against_the_floors(plan.graph()) == [], LOWER


def test_the_ground_imports_nothing_of_ours() -> None:
    imported = plan.graph()
    assert {name: imported[name] for name in plan.GROUND} == {name: set() for name in plan.GROUND}


def test_every_room_has_a_floor_and_says_what_it_is() -> None:
    rooms = [room for floor in plan.FLOORS for room in floor]
    assert sorted(rooms) == sorted(plan.ROOMS) == sorted(plan.WHAT)
    assert {plan.room_of(module) for module in plan.modules()} == set(rooms)


def test_rooms_to_come_are_not_there() -> None:
    assert [place for place in plan.TO_COME if (plan.ROOT / place).exists()] == []


def test_files_and_functions_keep_their_size() -> None:
    assert plan.too_large() == []


def test_exceptions_are_needed(monkeypatch) -> None:
    excused = set(plan.LARGER)
    monkeypatch.setattr(plan, "LARGER", {})
    assert {found.partition(" has ")[0] for found in plan.too_large()} == excused


def test_the_page_shows_the_plan() -> None:
    page = plan.PAGE.read_text(encoding="utf-8")
    assert page == plan.page_with_plan(page), "run: python tests/house/plan.py --write"


def test_what_breaks_the_plan_is_noticed() -> None:
    edges = plan.graph()
    down, up = "workup.scenarios.language.schema", "workup.cli.main"
    broken = {**edges, down: edges[down] | {up}}
    assert f"{down} (language) imports {up} (cli)" in plan.against_the_floors(broken)
    assert {down, up} <= set(plan.circle(broken))

"""The three files of a dirty plant."""

from pathlib import Path

from tests.plants.counters import Counter
from tests.plants.floor import GRACE, Floor

PLANT_ID = "dirty"
_PLANT = """
plant: {{id: {plant}, zone: {zone}, quantity_from: counters}}
calendar: {{shifts: {{early: "06:00", late: "14:00", night: "22:00"}}}}
lots: {{clean: [trim, upper], erp_max_length: 20}}
attribution: {{run_grace: {grace} ms}}
clock: {{step: 10 min}}
sources:
  erp:
    files: ["erp.jsonl"]
    read: {{event_id: id, occurred_at: t, received_at: rx}}
    events:
      - when: {{type: material}}
        emit: MaterialChanged
        material: material
        unit: uom
        decimals: decimals
        batch_managed: batches
      - when: {{type: release}}
        emit: OrderReleased
        order: order
        items: {{each: items, item: item, material: material, role: role, quantity: {{path: qty, unit: =PC}}}}
        operations: {{each: operations, operation: op, confirm: confirm, receipt: receipt, quantity_from: from}}
        components:
          each: components
          item: item
          operation: =10
          position: pos
          material: material
          quantity: {{path: qty, decimals: 3, unit: uom}}
          base: per
          mode: mode
  jobs:
    files: ["jobs.jsonl"]
    read: {{event_id: id, occurred_at: t, received_at: rx, equipment: machine}}
    events:
      - {{when: {{type: open}}, emit: RunStarted, run: job, order: po, operation: op, outputs: {outputs}}}
      - {{when: {{type: cavities}}, emit: RunChanged, run: job, outputs: {outputs}}}
      - {{when: {{type: close}}, emit: RunEnded, run: job}}
      - {{when: {{type: fix}}, emit: RunCorrected, run: job, order: po, outputs: {outputs}, from: from, to: to}}
      - {{when: {{type: void}}, emit: RunVoided, run: job}}
      - {{when: {{type: state}}, emit: EquipmentStateChanged, state: st}}
      - {{when: {{type: load}}, emit: LotLoaded, position: pos, material: what, lot: batch}}
      - {{when: {{type: unload}}, emit: LotUnloaded, position: pos}}
  people:
    files: ["people.jsonl"]
    read:
      event_id: id
      occurred_at: {{path: at, date: "%d.%m.%Y %H:%M:%S", ambiguous: arrival}}
      received_at: rx
      equipment: machine
    events:
{people}
  presses:
    files: ["presses.jsonl"]
    read: {{sequence: n, occurred_at: t, received_at: rx, equipment: machine}}
    events: [{{emit: CounterReading, counter: counter, value: {{path: value, rounding: half_away}}}}]
  unnumbered:
    files: ["unnumbered.jsonl"]
    read: {{occurred_at: t, received_at: rx, equipment: machine}}
    events: [{{emit: CounterReading, counter: counter, value: {{path: value, rounding: half_away}}}}]
  pollers:
    files: ["pollers.csv"]
    read:
      format: csv
      delimiter: ";"
      columns: [rx, t, machine, counter, value, n]
      sequence: n
      occurred_at: {{path: t, date: "%d.%m.%Y %H:%M:%S.%f", ambiguous: arrival}}
      received_at: rx
      equipment: machine
    events: [{{emit: CounterReading, counter: counter, value: {{path: value, rounding: half_away}}}}]
tables:
  reasons: {{SHORT: short_shot, BURN: burn_mark, "*": other}}
  units: {{PC: PC, ST: PC}}
equipment:
{equipment}
"""
_OUTPUTS = "{each: parts, material: part, lot: lot, factor: nests, role: role, order: po}"
_DECLARED = "quantity: {path: qty, unit: {path: uom, table: units}}, run: job, order: po, operation: op, material: part, lot: lot"
_REASON = "reason: {path: why, table: reasons}"
_PEOPLE = {
    "scrap": f"ScrapDeclared, {_DECLARED}, {_REASON}",
    "stock_scrap": f"ScrapDeclared, {_DECLARED}, {_REASON}, of: =stock",
    "component_scrap": f"ScrapDeclared, {_DECLARED}, {_REASON}, of: =component",
    "rework": f"ReworkDeclared, {_DECLARED}, {_REASON}",
    "rework_ok": f"ReworkReturned, {_DECLARED}, {_REASON}, as_kind: =yield",
    "rework_nok": f"ReworkReturned, {_DECLARED}, {_REASON}, as_kind: =scrap",
    "use": f"MaterialConsumed, {_DECLARED}",
    "made": f"ProductionDeclared, {_DECLARED}",
    "pallet": f"ProductionDeclared, {_DECLARED}",
}
_RULES = """
post:
  - {kind: yield, when: [shift_end]}
  - {kind: scrap, when: [shift_end, "above 4 PC at once"]}
  - {kind: rework, when: [shift_end]}
  - {kind: consumption, when: ["every 30 min"]}
  - {kind: machine_time, when: [shift_end], unit: ms}
  - {kind: setup_time, when: [shift_end], unit: ms}
order: {over_delivery: "10"}
"""
_ERP = """
erp: {adapter: sim, calls_per_second: 500}
book:
  yield: {by: confirmation, operations: milestones}
"""


def write(floor: Floor, counters: list[Counter], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    people = "\n".join(f"      - {{when: {{kind: {kind}}}, emit: {rest}}}" for kind, rest in _PEOPLE.items())
    equipment = []
    for machine in floor.machines:
        own = ", ".join(f"{counter.name}: {_counter(counter)}" for counter in counters if counter.machine is machine)
        equipment.append(f"  {machine.name}: {{alias: [{machine.alias}], counters: {{{own}}}}}")
    text = _PLANT.format(
        plant=PLANT_ID, zone=floor.wall.name, grace=GRACE, outputs=_OUTPUTS, people=people, equipment="\n".join(equipment)
    )
    (folder / "plant.yaml").write_text(text, encoding="utf-8")
    (folder / "rules.yaml").write_text(_RULES, encoding="utf-8")
    (folder / "erp.yaml").write_text(_ERP, encoding="utf-8")
    return folder


def _counter(counter: Counter) -> str:
    parts = [f"counts: {counter.counts}"]
    if counter.style == "increment":
        parts.append("shows: increment")
    else:
        parts.append(f"on_fall: {counter.style}")
    if counter.modulus:
        parts.append(f"modulus: {counter.modulus}")
    if counter.counts == "consumption":
        parts += ["of: loaded_lot", "position: hopper", f"decimals: {counter.decimals}", f"unit: {counter.unit}"]
    return f"{{{', '.join(parts)}}}"

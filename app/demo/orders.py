"""The orders of the shift, from compact rows: 24 moulded and 4 stamped ones; six go on to assembly, two of these to packing."""

from typing import Literal, NamedTuple

from app.demo.plan import (
    OpeningLot,
    Plan,
    PlannedLoad,
    PlannedMaterial,
    PlannedOperation,
    PlannedOrder,
    PlannedOutput,
    PlannedPart,
    PlannedStep,
    Usage,
)

Slot = Literal["full", "early", "late"]
SLOTS: dict[Slot, tuple[int, int]] = {"full": (6, 468), "early": (6, 216), "late": (240, 468)}
PIECES_PER_BOX = 48
RESINS = {"RES-PP": "PP", "RES-ABS": "AB", "RES-PA6": "PA", "RES-POM": "PO"}
MASTERBATCHES = {"MB-BLACK": "MBK", "MB-GREY": "MGY"}
_MASTERBATCH_GRAMS = 137
"""For 100 pieces: 0.137 kg, which is no round number for any count."""


class Moulded(NamedTuple):
    """order, material, press, slot, cycle in ms, cavities, resin grams per shot, resin, masterbatch, flags."""

    number: str
    material: str
    press: str
    slot: Slot
    cycle_ms: int
    cavities: int
    grams: int
    resin: str
    masterbatch: str
    flags: frozenset[str] = frozenset()


def _flags(text: str) -> frozenset[str]:
    return frozenset(text.split())


MOULDED = (
    Moulded("1001201", "4711", "IMM-01", "full", 14_000, 4, 62, "RES-PP", "MB-BLACK", _flags("plug resin_change rework")),
    Moulded("1001202", "4712", "IMM-02", "early", 13_000, 2, 48, "RES-ABS", "MB-GREY", _flags("done feeder_change")),
    Moulded("1001203", "4713", "IMM-02", "late", 15_000, 2, 51, "RES-ABS", "", _flags("box")),
    Moulded("1001204", "4714", "IMM-03", "early", 12_500, 4, 38, "RES-PP", "", _flags("done box")),
    Moulded("1001205", "4715", "IMM-03", "late", 18_000, 1, 71, "RES-PA6", "MB-BLACK"),
    Moulded("1001206", "4716", "IMM-04", "early", 11_000, 2, 29, "RES-POM", "", _flags("done rework")),
    Moulded("1001207", "4717", "IMM-04", "late", 16_000, 2, 44, "RES-PP", "MB-GREY", _flags("resin_change")),
    Moulded("1001208", "4805", "IMM-05", "full", 21_000, 2, 96, "RES-ABS", "", _flags("family")),
    Moulded("1001209", "4718", "IMM-06", "early", 14_500, 2, 33, "RES-PP", "MB-BLACK", _flags("done")),
    Moulded("1001210", "4719", "IMM-06", "late", 12_000, 4, 57, "RES-PP", "", _flags("tight")),
    Moulded("1001211", "4720", "IMM-07", "early", 17_000, 2, 49, "RES-PA6", ""),
    Moulded("1001212", "4721", "IMM-07", "late", 13_500, 2, 36, "RES-POM", "MB-GREY", _flags("box")),
    Moulded("1001213", "4722", "IMM-08", "early", 14_000, 2, 42, "RES-ABS", "MB-BLACK", _flags("done resin_change")),
    Moulded("1001214", "4723", "IMM-08", "late", 19_000, 1, 88, "RES-PA6", ""),
    Moulded("1001215", "4724", "IMM-09", "full", 12_000, 2, 31, "RES-PP", "MB-GREY", _flags("resin_change feeder_change")),
    Moulded("1001216", "4725", "IMM-10", "early", 14_000, 2, 40, "RES-ABS", "", _flags("done assembled:ASM-01")),
    Moulded("1001217", "4726", "IMM-10", "late", 14_000, 2, 39, "RES-PP", "MB-BLACK", _flags("assembled:ASM-01")),
    Moulded("1001218", "4727", "IMM-11", "early", 13_000, 2, 45, "RES-PA6", "", _flags("done assembled:ASM-02")),
    Moulded("1001219", "4728", "IMM-11", "late", 13_000, 2, 46, "RES-PA6", "", _flags("assembled:ASM-02")),
    Moulded("1001220", "4729", "IMM-12", "early", 12_000, 2, 35, "RES-ABS", "MB-GREY", _flags("packed:ASM-03:PCK-01 box")),
    Moulded("1001221", "4730", "IMM-12", "late", 15_500, 2, 52, "RES-POM", ""),
    Moulded("1001222", "4731", "IMM-13", "full", 16_500, 2, 66, "RES-PP", "", _flags("resin_change")),
    Moulded("1001223", "4732", "IMM-14", "early", 12_000, 2, 34, "RES-POM", "", _flags("packed:ASM-04:PCK-02 box")),
    Moulded("1001224", "4733", "IMM-14", "late", 14_500, 2, 41, "RES-ABS", "MB-BLACK"),
)
STAMPED: tuple[tuple[str, str, str, Slot, int, bool], ...] = (
    ("1001225", "5101", "STP-01", "early", 6_000, True),
    ("1001226", "5102", "STP-01", "late", 7_000, False),
    ("1001227", "5103", "STP-02", "early", 6_500, True),
    ("1001228", "5104", "STP-02", "late", 8_000, False),
)


def output_lot(number: str) -> str:
    return f"170201-{number[-2:]}"


def plan() -> Plan:
    orders = [_moulded(row) for row in MOULDED] + [_stamped(*row) for row in STAMPED]
    return Plan(orders, _materials(orders), _opening())


def _moulded(row: Moulded) -> PlannedOrder:
    flags = {name: value for name, _, value in (flag.partition(":") for flag in row.flags)}
    lot = output_lot(row.number)
    outputs: tuple[PlannedOutput, ...] = (PlannedOutput(row.material, lot, row.cavities),)
    if "family" in flags:
        right = str(int(row.material) + 1)
        outputs = (PlannedOutput(row.material, f"{lot}L", row.cavities), PlannedOutput(right, f"{lot}R", row.cavities, "co"))
    press = _press_step(row, outputs, flags)
    parts = [PlannedPart("0010", "resin", row.resin, row.grams * 1000 // row.cavities, 3, "kg", 1000, "metered")]
    if row.masterbatch:
        parts.append(PlannedPart("0010", "masterbatch", row.masterbatch, _MASTERBATCH_GRAMS, 3, "kg", 100, "ledger_backflush"))
    operations = [PlannedOperation("0010", row.press, "each", True)]
    steps = [press]
    if "assembled" in flags:
        station = flags["assembled"]
        first, last = (40, 232) if row.slot == "early" else (275, 468)
        steps.append(_assembly_step(station, first, last, outputs))
        operations = [PlannedOperation("0010", row.press, "none", False), PlannedOperation("0020", station, "milestone", True)]
    elif "packed" in flags:
        station, _, line = flags["packed"].partition(":")
        steps += [_assembly_step(station, 45, 300, outputs), _packing_step(line, 70, 460, outputs)]
        operations = [
            PlannedOperation("0010", row.press, "each", False),
            PlannedOperation("0020", station, "each", False),
            PlannedOperation("0030", line, "each", True),
        ]
    if len(steps) > 1:
        parts.append(PlannedPart("0020", "insert", "INS-M4", 1, 0, "PC", 1, "declared"))
    if "box" in flags:
        parts.append(
            PlannedPart(operations[-1].operation, "packaging", "BOX-48", 1, 0, "PC", PIECES_PER_BOX, "erp_backflush", False)
        )
    return PlannedOrder(
        row.number,
        tuple((output.material, output.role) for output in outputs),
        tuple(operations),
        tuple(parts),
        tuple(steps),
        over_delivery="5" if "tight" in flags else "10",
        tight="tight" in flags,
        completed="done" in flags,
        rework="rework" in flags,
    )


def _press_step(row: Moulded, outputs: tuple[PlannedOutput, ...], flags: dict[str, str]) -> PlannedStep:
    first, last = SLOTS[row.slot]
    prefix = RESINS[row.resin]
    loads = [PlannedLoad("resin", row.resin, f"{prefix}-7701")]
    changeovers = []
    if row.masterbatch:
        loads.append(PlannedLoad("masterbatch", row.masterbatch, f"{MASTERBATCHES[row.masterbatch]}-301"))
    if "resin_change" in flags:
        changeovers.append((first + 94, PlannedLoad("resin", row.resin, f"{prefix}-7702")))
    if "feeder_change" in flags:
        lot = f"{MASTERBATCHES[row.masterbatch]}-302"
        changeovers.append((first + 121, PlannedLoad("masterbatch", row.masterbatch, lot)))
    changes: tuple[tuple[int, tuple[PlannedOutput, ...]], ...] = ()
    if "plug" in flags:
        changes = ((202, (PlannedOutput(row.material, outputs[0].lot, row.cavities - 1),)),)
    if "family" in flags:
        plugged = PlannedOutput(outputs[1].material, outputs[1].lot, 1, "co")
        changes = ((305, (outputs[0], plugged)),)
    return PlannedStep(
        row.press, "0010", first, last, row.cycle_ms, outputs, row.grams, tuple(loads), changes, tuple(changeovers)
    )


def _assembly_step(station: str, first: int, last: int, outputs: tuple[PlannedOutput, ...]) -> PlannedStep:
    made = tuple(PlannedOutput(output.material, output.lot, 1) for output in outputs)
    insert = Usage("INS-M4", "INS-2201", 1, 0, "PC")
    return PlannedStep(station, "0020", first, last, 12_000, made, uses=insert, bad_share=0.015)


def _packing_step(line: str, first: int, last: int, outputs: tuple[PlannedOutput, ...]) -> PlannedStep:
    return PlannedStep(
        line, "0030", first, last, 25_000, tuple(PlannedOutput(output.material, output.lot, 1) for output in outputs)
    )


def _stamped(number: str, material: str, press: str, slot: Slot, cycle_ms: int, completed: bool) -> PlannedOrder:
    first, last = SLOTS[slot]
    coil = Usage("COIL-08", "COIL-5501", 12, 3, "kg")
    step = PlannedStep(press, "0010", first, last, cycle_ms, (PlannedOutput(material, output_lot(number), 1),), uses=coil)
    part = PlannedPart("0010", "coil", "COIL-08", 12, 3, "kg", 1, "declared")
    return PlannedOrder(
        number, ((material, "main"),), (PlannedOperation("0010", press, "each", True),), (part,), (step,), completed=completed
    )


def _materials(orders: list[PlannedOrder]) -> list[PlannedMaterial]:
    made = sorted({material for order in orders for material, _ in order.materials})
    boxes = (f"1 BOX = {PIECES_PER_BOX} PC",)
    return [
        *(PlannedMaterial(material, "PC", 0, True, boxes) for material in made),
        *(PlannedMaterial(material, "kg", 3, True) for material in (*RESINS, *MASTERBATCHES, "COIL-08")),
        PlannedMaterial("INS-M4", "PC", 0, True),
        PlannedMaterial("BOX-48", "PC", 0, False),
    ]


def _opening() -> list[OpeningLot]:
    lots = [OpeningLot(resin, f"{prefix}-{n}", 5000, "kg") for resin, prefix in RESINS.items() for n in (7701, 7702)]
    lots += [OpeningLot(name, f"{prefix}-{n}", 500, "kg") for name, prefix in MASTERBATCHES.items() for n in (301, 302)]
    return [*lots, OpeningLot("COIL-08", "COIL-5501", 8000, "kg"), OpeningLot("INS-M4", "INS-2201", 100_000, "PC")]

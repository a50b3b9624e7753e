"""A record of a shared type with a field of another system's."""

from schemas.records import LotCreated, Quantity
from tables.plant.system_of_record import violation
from tests.unit.tables.floor_bench import event


def test_a_field_of_another_system_is_refused_and_the_rest_is_not() -> None:
    named = event(LotCreated, 0, material="4711", lot="L1")
    with_stock = event(LotCreated, 0, material="4711", lot="L1", quantity=Quantity(5, 0, "PC"))
    assert violation("quality", named) is None
    wrong = violation("quality", with_stock)
    assert wrong is not None
    assert (wrong.code, wrong.detail) == ("NOT_SYSTEM_OF_RECORD", "LotCreated.quantity is erp or warehouse's, not quality's")
    assert violation("erp", with_stock) is None

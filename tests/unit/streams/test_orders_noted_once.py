"""What an account holds is worked out once each time that it is served, and anew when something changed."""

from unittest.mock import patch

from tables.orders import account
from tests.unit.streams.ledger_bench import Ledger, released, total
from tests.unit.tables.floor_bench import at


def test_once_each_time_and_anew_with_the_next_total() -> None:
    bench = Ledger()
    bench.fold(released(at("06:30")), total("gross", 5, (1, 1), at("07:10")))
    with patch.object(account, "recorded", wraps=account.recorded) as noted:
        bench.tick(at("07:10"))
        assert [call.args[0].kind for call in noted.call_args_list] == ["yield"]
        bench.fold(total("gross", 8, (1, 2), at("07:20")))
        bench.tick(at("07:20"))
        bench.tick(at("14:00"))
    assert bench.account("yield").recorded_numerator == 8
    assert [posting.amount for posting in bench.postings] == [8]
    bench.check_conservation()

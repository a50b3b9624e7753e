"""Wall clocks of a plant, the obvious way: shifts at 06:00, 14:00 and 22:00, the night belongs to the day it began."""

import itertools
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_BEGINS = time(6)
SHIFTS = (time(6), time(14), time(22))
MS = timedelta(milliseconds=1)


class Wall:
    """Milliseconds since 1970 (UTC) as people of one zone read them."""

    def __init__(self, zone: str) -> None:
        self.name, self.zone = zone, ZoneInfo(zone)

    def instant(self, local: datetime) -> int:
        """Of a local time that clocks show once."""
        return (local.replace(tzinfo=self.zone) - EPOCH) // MS

    def local(self, at: int) -> datetime:
        return (EPOCH + at * MS).astimezone(self.zone)

    def business_date(self, at: int) -> str:
        local = self.local(at)
        return str(local.date() - timedelta(days=local.time() < DAY_BEGINS))

    def cuts(self, start: int, end: int) -> list[int]:
        """Instants of start < t < end at which a shift begins."""
        day, found = self.local(start).date() - timedelta(days=1), list[int]()
        while self.instant(datetime.combine(day, time(0))) <= end:
            found += [self.instant(datetime.combine(day, shift)) for shift in SHIFTS]
            day += timedelta(days=1)
        return [cut for cut in found if start < cut < end]

    def days(self, start: int, end: int) -> list[tuple[int, int]]:
        """start .. end in pieces of one business date each."""
        edges = [start, *(cut for cut in self.cuts(start, end) if self.local(cut).time() == DAY_BEGINS), end]
        return list(itertools.pairwise(edges))

    def repeats(self, at: int) -> bool:
        """Do clocks show this time twice?"""
        wall = self.local(at).replace(tzinfo=None)
        passes = [wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        return passes[0] != passes[1]

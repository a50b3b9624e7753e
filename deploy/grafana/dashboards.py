"""The dashboards for Grafana, written as code: `python deploy/grafana/dashboards.py` (`make dashboards`) writes a file of each.

They are files of the chart, which brings them to Grafana's sidecar; without Kubernetes they are imported by hand. They show the
figures of `lineledger worker --metrics-port`, scraped every 15 s by a job named `lineledger`. tests/deploy/test_dashboards.py
compares: no figure is asked for that no worker has, and each figure stands on a page.
"""

from pathlib import Path

from panels import Board, Curve, Figure, Plot, shares

FOLDER = Path(__file__).parents[1] / "helm" / "lineledger" / "files" / "dashboards"

OPERATIONS = Board(
    "operations",
    "operations",
    "Is everything running, and does somebody have to do something? From here to the plant, the ERP and the engine.",
    (
        Figure("Workers down", "Workers that Prometheus does not reach.", 'count(up{job="lineledger"} == 0) or vector(0)', 1),
        Figure(
            "Not ready",
            "Stages on workers that are not ready; GET /ready says why.",
            "count(lineledger_ready == 0) or vector(0)",
            1,
        ),
        Figure(
            "Partitions without owner",
            "Inbox partitions that no worker reads.",
            'sum(max by (stage) (lineledger_inbox_partitions) - sum by (stage) (lineledger_partitions{state="owned"}))',
            1,
        ),
        Figure(
            "Slowest clock",
            "How far the clock of the slowest plant is behind. Nothing of that plant is posted while it stands.",
            "max(time() - min by (stage, plant) (lineledger_clock_seconds))",
            300,
            "s",
        ),
        Figure(
            "Needs somebody",
            "Postings that are parked or rejected.",
            'sum(lineledger_postings{state=~"rejected|parked"}) or vector(0)',
            1,
        ),
        Figure(
            "Circuits open", "ERPs that do not answer.", "sum(max by (endpoint) (lineledger_erp_circuit_open)) or vector(0)", 1
        ),
    ),
    (
        Plot(
            "Records",
            "Inbox records folded and committed, by stage.",
            (Curve("sum by (stage) (rate(lineledger_records_total[5m]))", "{{stage}}"),),
            "cps",
        ),
        Plot(
            "Lag",
            "Records that wait, by stage. One that grows while records flow needs another worker, up to one per partition.",
            (Curve("sum by (stage) (lineledger_lag)", "{{stage}}"),),
        ),
        Plot(
            "Clock behind now",
            "By stage and plant, of the slowest upstream. Steps of clock.step are right; a slope of one is a clock that stands.",
            (Curve("time() - min by (stage, plant) (lineledger_clock_seconds)", "{{stage}} {{plant}}"),),
            "s",
        ),
        Plot(
            "Records refused",
            "Dead letters by code: `lineledger exceptions --code CODE` lists them.",
            (Curve("sum by (code, owner) (increase(lineledger_dead_letters_total[15m]))", "{{code}} ({{owner}})"),),
            stacked=True,
        ),
        Plot(
            "Silent upstreams",
            "Sources and intakes from which nothing comes though it should: UPSTREAM_SILENT.",
            (Curve("sum by (plant, upstream) (lineledger_upstream_silent)", "{{plant}} {{upstream}}"),),
        ),
        Plot(
            "Starts",
            "How often each worker started within half an hour. Three is an alarm.",
            (Curve("changes(lineledger_started_seconds[30m])", "{{instance}}"),),
        ),
    ),
)

PLANT = Board(
    "plant",
    "plant",
    "One plant: how current its books are, what is not in the ERP yet and why, and who has to decide.",
    (
        Figure(
            "Clock behind",
            "The slowest upstream of the plant, in any stage.",
            'max(time() - min by (stage, plant) (lineledger_clock_seconds{plant=~"$plant"}))',
            300,
            "s",
        ),
        Figure(
            "Oldest unposted",
            "Age of the oldest posting that is not in the ERP.",
            'max(lineledger_oldest_unposted_seconds{plant=~"$plant"}) or vector(0)',
            3600,
            "s",
        ),
        Figure(
            "Parked accounts", "Quantities that wait for a person.", 'sum(lineledger_parked{plant=~"$plant"}) or vector(0)', 1
        ),
        Figure(
            "Another ERP",
            "1: nothing is posted, because the worker calls another ERP than the plant's (ERP_FOREIGN).",
            'max(lineledger_erp_foreign{plant=~"$plant"}) or vector(0)',
            1,
        ),
    ),
    (
        Plot(
            "Postings that are not in the ERP",
            "By state and code. `lineledger parked` lists what needs somebody.",
            (Curve('sum by (state, code) (lineledger_postings{plant=~"$plant"})', "{{state}} {{code}}"),),
            stacked=True,
        ),
        Plot(
            "Parked by owner",
            "Who has to decide: `lineledger explain-code CODE` says what to type.",
            (Curve('sum by (owner, code) (lineledger_parked{plant=~"$plant"})', "{{owner}} {{code}}"),),
            stacked=True,
        ),
        Plot(
            "Clock by upstream",
            "The line that lies highest holds the plant back.",
            (Curve('time() - min by (stage, upstream) (lineledger_clock_seconds{plant=~"$plant"})', "{{stage}} {{upstream}}"),),
            "s",
        ),
        Plot(
            "Records refused",
            "Dead letters by stage and code.",
            (
                Curve(
                    'sum by (stage, code) (increase(lineledger_dead_letters_total{plant=~"$plant"}[15m]))',
                    "{{stage}} {{code}}",
                ),
            ),
            stacked=True,
        ),
        Plot(
            "Silent sources",
            "How many machines miss a source; 1 for an intake.",
            (Curve('sum by (upstream) (lineledger_upstream_silent{plant=~"$plant"})', "{{upstream}}"),),
        ),
        Plot(
            "Age of the oldest posting",
            "It falls when the ERP takes what waits. A line that only rises is one posting that needs somebody.",
            (Curve('max by (plant) (lineledger_oldest_unposted_seconds{plant=~"$plant"})', "{{plant}}"),),
            "s",
        ),
    ),
    (("plant", "lineledger_clock_seconds"),),
)

ERP = Board(
    "erp",
    "ERP",
    "Of each ERP (endpoint): calls against the limit, how long they take, and what waits.",
    (
        Figure(
            "Circuits open",
            "ERPs that do not answer. Postings are kept.",
            'sum(max by (endpoint) (lineledger_erp_circuit_open{endpoint=~"$endpoint"})) or vector(0)',
            1,
        ),
        Figure(
            "Maintenance",
            "ERPs in a window of erp.yaml; postings wait for its end.",
            'sum(max by (endpoint) (lineledger_erp_maintenance{endpoint=~"$endpoint"})) or vector(0)',
            1,
        ),
        Figure(
            "Quota used up",
            "ERPs whose quota is used up; what waits goes on as it comes back.",
            'sum(max by (endpoint) (lineledger_erp_quota_spent{endpoint=~"$endpoint"})) or vector(0)',
            1,
        ),
        Figure(
            "Waiting", "Entries that wait for a budget.", 'sum(lineledger_erp_queue{endpoint=~"$endpoint"}) or vector(0)', 1000
        ),
        Figure(
            "Sent again",
            "Documents with a posting that was sent before, of a day.",
            'sum(increase(lineledger_erp_posts_again_total{endpoint=~"$endpoint"}[1d]))',
            1,
        ),
    ),
    (
        Plot(
            "Requests against the limit",
            "What left, by its purpose. All of it counts against the limit, which falls while the ERP says that it is busy.",
            (
                Curve(
                    'sum by (endpoint, call) (rate(lineledger_erp_requests_total{endpoint=~"$endpoint"}[1m]))',
                    "{{endpoint}} {{call}}",
                ),
                Curve('sum by (endpoint) (lineledger_erp_calls_per_second{endpoint=~"$endpoint"})', "{{endpoint}} limit"),
            ),
            "cps",
        ),
        Plot(
            "Outcomes",
            "Calls by result. Unknown ones are read back before anything is sent again.",
            (
                Curve(
                    'sum by (endpoint, call, result) (rate(lineledger_erp_calls_total{endpoint=~"$endpoint"}[5m]))',
                    "{{endpoint}} {{call}} {{result}}",
                ),
            ),
            "cps",
            stacked=True,
        ),
        Plot(
            "Duration of a call",
            "A posting, a read-back and others apart.",
            shares("lineledger_erp_call_seconds", "{{endpoint}} {{call}}", "endpoint, call", '{endpoint=~"$endpoint"}'),
            "s",
        ),
        Plot(
            "Queue",
            "Entries that wait for the budget.",
            (Curve('sum by (endpoint, instance) (lineledger_erp_queue{endpoint=~"$endpoint"})', "{{endpoint}} {{instance}}"),),
        ),
        Plot(
            "Withheld",
            "Attempts that were not sent, by code: nothing left, nothing is unknown.",
            (
                Curve(
                    'sum by (endpoint, code) (increase(lineledger_erp_withheld_total{endpoint=~"$endpoint"}[15m]))',
                    "{{endpoint}} {{code}}",
                ),
            ),
            stacked=True,
        ),
        Plot(
            "Seconds in calls",
            "ERP time that is used per second: how many calls are under way.",
            (
                Curve(
                    'sum by (endpoint, call) (rate(lineledger_erp_call_seconds_sum{endpoint=~"$endpoint"}[5m]))',
                    "{{endpoint}} {{call}}",
                ),
            ),
        ),
    ),
    (("endpoint", "lineledger_erp_circuit_open"),),
)

ENGINE = Board(
    "engine",
    "engine",
    "One stage by worker and partition: checkpoints, lag, what is written. For sizing, and for finding the slow one.",
    (
        Figure(
            "Slowest checkpoint",
            "99 of 100 checkpoints take less.",
            'histogram_quantile(0.99, sum by (le) (rate(lineledger_commit_seconds_bucket{stage=~"$stage"}[5m])))',
            10,
            "s",
        ),
        Figure(
            "Oldest answer",
            "Age of the broker's newest answer, of the partition where it is oldest.",
            'max(lineledger_fetch_age_seconds{stage=~"$stage"})',
            60,
            "s",
        ),
        Figure(
            "Restoring",
            "Partitions that are being taken over.",
            'sum(lineledger_partitions{state="restoring", stage=~"$stage"}) or vector(0)',
            1,
        ),
        Figure(
            "Clocks differ",
            "How far a host's clock is from the broker's.",
            'max(abs(lineledger_clock_ahead_seconds{stage=~"$stage"}))',
            60,
            "s",
        ),
    ),
    (
        Plot(
            "Lag by partition",
            "One partition behind the others is a hot key.",
            (Curve('lineledger_lag{stage=~"$stage"}', "{{stage}} {{partition}}"),),
        ),
        Plot(
            "Records by worker",
            "Workers of a stage should share the load.",
            (Curve('sum by (stage, instance) (rate(lineledger_records_total{stage=~"$stage"}[5m]))', "{{stage}} {{instance}}"),),
            "cps",
        ),
        Plot(
            "Written",
            "Messages to other topics, and rows to changelogs.",
            (
                Curve('sum by (stage) (rate(lineledger_messages_total{stage=~"$stage"}[5m]))', "{{stage}} messages"),
                Curve('sum by (stage) (rate(lineledger_rows_total{stage=~"$stage"}[5m]))', "{{stage}} rows"),
            ),
            "cps",
        ),
        Plot(
            "Duration of a checkpoint",
            "From the last record of it to the end of its transaction.",
            shares("lineledger_commit_seconds", "{{stage}}", "stage", '{stage=~"$stage"}'),
            "s",
        ),
        Plot(
            "Time between checkpoints",
            "What a restart folds again, and how long a result takes to the next stage.",
            shares("lineledger_checkpoint_gap_seconds", "{{stage}}", "stage", '{stage=~"$stage"}'),
            "s",
        ),
        Plot(
            "Append times ahead",
            "Records whose append time was too far ahead to move the clock: a broker's clock is wrong.",
            (
                Curve(
                    'sum by (stage, partition) (increase(lineledger_append_ahead{stage=~"$stage"}[15m]))',
                    "{{stage}} {{partition}}",
                ),
            ),
        ),
        Plot(
            "Processor",
            "Cores that each worker uses.",
            (Curve('rate(process_cpu_seconds_total{job="lineledger"}[5m])', "{{instance}}"),),
        ),
        Plot(
            "Memory",
            "Resident memory of each worker.",
            (Curve('process_resident_memory_bytes{job="lineledger"}', "{{instance}}"),),
            "bytes",
        ),
    ),
    (("stage", "lineledger_inbox_partitions"),),
)

BOARDS = (OPERATIONS, PLANT, ERP, ENGINE)


def written(folder: Path = FOLDER) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for board in BOARDS:
        (folder / f"{board.name}.json").write_text(board.json(BOARDS), encoding="utf-8")


if __name__ == "__main__":
    written()

"""The parts of tests/bench that need no nginx: its sums, its line and what it writes for nginx."""

import json
from pathlib import Path

import pytest

from bench import corpus, link, nginx, report, usage
from bench.candidates import CANDIDATES
from bench.measures import MEASURES, Figure, Limit, Measure, Ratio
from bench.nginx import Ports
from bench.session import Results, rotated
from bench.takes import percentile

SMALL = corpus.Scale(stream=3 * corpus.MIB, small=1000, copied=2, listed=3)


def measured(figure: Figure, ours: list[float | None], theirs: list[float | None]) -> report.Line:
    results = Results()
    for name, numbers in (("minimaxfs", ours), ("rclone full", theirs)):
        for number in numbers:
            results.add("m", name, None if number is None else {"k": number})
    measure = Measure("m", lambda _site, _candidate: {}, {"k": figure})
    return report.lines(results, [measure])[0]


def test_a_ratio_is_the_median_of_the_rounds_ratios() -> None:
    """Each round is compared with itself: 2, 3 and 1.5 give 2, whatever the medians' own ratio is."""
    line = measured(Figure("t", "MB/s", Ratio(2.0)), [200.0, 900.0, 300.0], [100.0, 300.0, 200.0])
    assert line.ratio == 2.0
    assert line.medians == {"minimaxfs": 300.0, "rclone off": None, "rclone full": 200.0}
    assert line.met is True


def test_less_time_is_a_higher_ratio() -> None:
    """Where less is better, half the time is twice as good."""
    assert measured(Figure("t", "s", Ratio(2.1)), [1.0], [2.0]).ratio == 2.0
    assert measured(Figure("t", "s", Ratio(2.1)), [1.0], [2.0]).met is False


def test_a_round_that_failed_counts_for_nobody() -> None:
    """A failed round gives no ratio; where all failed there is none, and nothing is met."""
    assert measured(Figure("t", "MB/s"), [None, 4.0], [1.0, 2.0]).ratio == 2.0
    failed = measured(Figure("t", "MB/s", Ratio(1.0)), [None], [1.0])
    assert (failed.ratio, failed.met) == (None, None)


def test_a_limit_is_held_against_the_median() -> None:
    """An absolute reach needs no rival."""
    assert measured(Figure("t", "ms", Limit(10.0)), [9.0, 11.0, 10.0], []).met is True
    assert measured(Figure("t", "ms", Limit(10.0)), [10.1], []).met is False


def test_the_table_shows_the_reach_beside_the_figure() -> None:
    """Each line has all medians, the ratio, what must be reached, and a word on whether it is."""
    table = report.table([measured(Figure("t", "MB/s", Ratio(2.5)), [1200.0], [512.5])])
    assert table.splitlines()[1].split() == ["t", "MB/s", "1,200", "-", "512", "2.34x", "≥", "2.5x", "NO"]


def test_the_readme_gets_what_is_drawn() -> None:
    """A figure without a title for the plot is not in the README's table either."""
    drawn = measured(Figure("t", "MB/s", None, "first read"), [1200.0], [480.0])
    plain = measured(Figure("other", "MB/s"), [1.0], [1.0])
    assert report.markdown([drawn, plain]).splitlines()[2:] == [
        "| first read | 1,200 MB/s | - MB/s | 480 MB/s | **2.50x** |"
    ]


def test_the_json_holds_each_round() -> None:
    """What is written can be judged anew, also where a round failed."""
    line = measured(Figure("t", "ms", Limit(3.0)), [2.0, None], [4.0, 4.0])
    (entry,) = json.loads(json.dumps(report.as_json([line])))
    assert entry["rounds"]["minimaxfs"] == [2.0, None]
    assert (entry["reach"], entry["met"], entry["ratio"]) == ("≤ 3", True, 2.0)


def test_each_candidate_begins_a_round() -> None:
    """Three rounds begin with three candidates, and each round has all."""
    rounds = [rotated(CANDIDATES, number) for number in range(3)]
    assert {candidates[0] for candidates in rounds} == set(CANDIDATES)
    assert all(set(candidates) == set(CANDIDATES) for candidates in rounds)


def test_measures_have_names_of_their_own() -> None:
    """`--only` means one measure; a slow one is taken a third as often, but at least once."""
    assert len({measure.name for measure in MEASURES}) == len(MEASURES)
    slow = next(measure for measure in MEASURES if measure.slow)
    assert [slow.rounds(wanted) for wanted in (1, 3, 9)] == [1, 1, 3]


@pytest.mark.parametrize(("share", "expected"), [(0.5, 2.0), (0.99, 4.0), (1.0, 4.0)])
def test_a_percentile_is_one_of_the_values(share: float, expected: float) -> None:
    """No value is made up between two."""
    assert percentile([4.0, 1.0, 3.0, 2.0], share) == expected


def sent(flow: link.Flow, size: int, until: float) -> tuple[int, float]:
    """Send as much of `size` as goes before `until`; what went, and when the last of it arrives."""
    now, gone, arrival = 0.0, 0, 0.0
    on_the_way: list[tuple[float, int]] = []
    while gone < size and now < until:
        for due, piece in [entry for entry in on_the_way if entry[0] <= now]:
            flow.delivered(due, piece)
            on_the_way.remove((due, piece))
        room = min(flow.room(now), size - gone, 16 * 1024)
        if room and flow.ready_at() <= now:
            arrival = flow.send(now, room)
            on_the_way.append((arrival, room))
            gone += room
        else:
            now += 0.001
    return gone, arrival


def test_a_connection_starts_slowly() -> None:
    """The window doubles with each round trip: ten segments in the first, thirty by the end of the second."""
    path = link.Path()
    for trips, segments in ((1, 10), (2, 30), (3, 70)):
        flow = link.Flow(path, link.Line(path.shared_rate), now=-path.round_trip)
        gone, _ = sent(flow, 10**9, (trips - 0.1) * path.round_trip)
        assert gone == segments * link.SEGMENT


def test_the_first_bytes_take_two_round_trips() -> None:
    """One to connect, half of one there: the answer's way back is another flow's."""
    path = link.Path()
    flow = link.Flow(path, link.Line(path.shared_rate), now=0.0)
    assert flow.send(0.0, 0) == pytest.approx(1.5 * path.round_trip)


def test_a_connection_reaches_its_rate_and_not_more() -> None:
    """After the slow start, 25 MB/s."""
    path = link.Path()
    flow = link.Flow(path, link.Line(path.shared_rate), now=-path.round_trip)
    _, arrival = sent(flow, 50_000_000, 10.0)
    assert 2.0 < arrival < 2.5


def test_connections_share_the_line() -> None:
    """What one sends keeps the line from the others for its share of the time."""
    path = link.Path(rate=25e6, shared_rate=50e6)
    line = link.Line(path.shared_rate)
    flows = [link.Flow(path, line, now=-1.0) for _ in range(4)]
    for flow in flows:
        flow.send(0.0, 10_000)
    assert line.free_at == pytest.approx(40_000 / 50e6)


def test_the_store_is_the_same_for_both_clients(tmp_path: Path) -> None:
    """The file API's listing, the page of links, nginx's map and the contents name the same files."""
    corpus.write(tmp_path, SMALL)
    for purpose, count in ((corpus.LARGE, 2), (corpus.COPIED, 2), (corpus.LISTED, 3)):
        listed = json.loads((tmp_path / "lists" / f"{purpose}.json").read_text())["files"]
        page = (tmp_path / "pages" / f"{purpose}.html").read_text()
        stored = (tmp_path / "stored.map").read_text()
        assert len(listed) == count
        for file in listed:
            path = tmp_path / "content" / purpose / file["filename"]
            assert path.stat().st_size == file["bytes"]
            assert f'<a href="{file["filename"]}">' in page
            assert f"{file['file_id']} {purpose}/{file['filename']}:{file['bytes']};\n" in stored


def test_nginx_is_told_everything(tmp_path: Path) -> None:
    """The configuration names no path but the run's own, and the link of a retrieve follows the route."""
    text = nginx.config(tmp_path, tmp_path / "store", Ports(1001, 1002), as_root=False)
    assert "listen 127.0.0.1:1001 " in text
    assert "listen 127.0.0.1:1002 ssl" in text
    assert "$scheme://$http_host/$stored_path?Expires=" in text
    assert "user root" not in text
    assert text.count("{") == text.count("}")


def test_answers_are_counted_with_their_bytes() -> None:
    """One line of the log is one answer."""
    assert nginx.tally("300 206 GET /a\n20 404 HEAD /b c\n") == nginx.Sent(2, 320)


def test_children_count_with_their_parent() -> None:
    """A daemon's CPU is its own, its children's and that of those that have ended."""
    stats = [
        usage.parsed("10 (a (b) c) S 1 0 0 0 0 0 0 0 0 0 100 50 30 20 0"),
        usage.parsed("11 (helper) S 10 0 0 0 0 0 0 0 0 0 7 3 0 0 0"),
        usage.parsed("12 (other) S 1 0 0 0 0 0 0 0 0 0 900 0 0 0 0"),
    ]
    family = usage.family(stats, 10)
    assert [stat.pid for stat in family] == [10, 11]
    assert sum(stat.cpu for stat in family) == pytest.approx(210 * stats[0].cpu / 200)
    assert usage.kib("Rss:  120 kB\nPss:  60 kB\n", "Pss") == 60

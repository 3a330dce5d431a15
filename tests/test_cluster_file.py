"""A file that describes a cluster: text stays text, and whatever else it holds is refused in words,
quickly."""

import os

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limits import within_limits

from xstilts.errors import UserError
from xstilts.study.workers import cluster, cluster_file

HEAD = "cluster: dask_jobqueue.SLURMCluster\n"


def read(folder, content):
    path = folder / "cluster.yml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return cluster_file.read(path)


@pytest.mark.parametrize(
    "written, value",
    [
        ("24:00:00", "24:00:00"),
        ("1:30", "1:30"),
        ("0123", "0123"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("0b1", "0b1"),
        ("1_000", "1_000"),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("off", "off"),
        ("y", "y"),
        ("2026-01-01", "2026-01-01"),
        ("64GB", "64GB"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e3", "1e3"),
        ("+5", "+5"),
        ("1.", "1."),
        ("1.2.3", "1.2.3"),
        ("=", "="),
        ("<<", "<<"),
        ("9" * 5000, "9" * 5000),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("1.5", 1.5),
        ("-0.25", -0.25),
        ("1.5e-3", 1.5e-3),
        ('"12"', "12"),
        ("'true'", "true"),
        ("[a, 1, no]", ["a", 1, "no"]),
        ("{env: {A: 010}}", {"env": {"A": "010"}}),
        ('["--gres=gpu:1"]', ["--gres=gpu:1"]),
        ("|-\n   a\n   1", "a\n1"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_an_option_is_what_stands_there(written, value, tmp_path):
    found = read(tmp_path, f"{HEAD}jobs: 16\noptions:\n  x: {written}\n")
    assert found.options == {"x": value} and type(found.options["x"]) is type(value)
    assert (found.package, found.name, found.jobs) == ("dask_jobqueue", "SLURMCluster", 16)


def test_what_the_book_shows_is_read(tmp_path):
    page = (cluster_file.Path(__file__).parents[1] / "book" / "reproduce.md").read_text()
    found = read(tmp_path, page.split("```yaml\n")[1].split("```")[0])
    assert (
        found.jobs == 16 and found.options["walltime"] == "24:00:00" and found.options["cores"] == 1
    )
    assert found.options["memory"] == "64GB" and found.options["job_extra_directives"] == [
        "--gres=gpu:1"
    ]


BOMB = "a: &a [x, x]\n" + "".join(f"b{number}: &b{number} [*a, *a]\n" for number in range(1000))
REFUSED = [
    ("", "cluster None"),
    ("- a", "cluster None"),
    ("12", "cluster None"),
    (HEAD + "jobs: -5", "jobs: -5 is no whole number from 1"),
    (HEAD + "jobs: 0", "jobs: 0"),
    (HEAD + "jobs: 1000000000", "jobs: 1000000000"),
    (HEAD + "jobs: 1.5", "jobs: 1.5"),
    (HEAD + "jobs: true", "jobs: True"),
    (HEAD + "jobs: many", "jobs: 'many'"),
    (HEAD + "jobs: " + "9" * 5000, "jobs: '999"),
    (HEAD + "options: [a]", r"options \['a'\]"),
    (HEAD + "options: x", "options 'x'"),
    (HEAD + "queue: a", "unknown entry 'queue'"),
    (HEAD + HEAD, "'cluster' is there twice"),
    (HEAD + "options: {a: 1, a: 2}", "'a' is there twice"),
    (HEAD + "options: {[a]: 1}", "a name is no text"),
    (HEAD + "options: " + "[" * 30_000, "deeper than 10 levels"),
    (HEAD + "options: " + "{a: " * 10_000, "deeper than 10"),
    (HEAD + "options:\n" + "\n".join(" " * n + "a:" for n in range(1, 300)), "deeper"),
    (HEAD + BOMB, r"line 3 has the alias \*a|unknown"),
    ("a: &a 1\n" * 10**6, "longer than 65536 bytes"),
    (HEAD + "options: {a: *b}", "alias"),
    (HEAD + "options: {<<: {a: 1}}\n---\na: 1", "several documents"),
    (HEAD + "options: !!python/object/apply:os.system [true]", "tag 'tag:yaml"),
    (HEAD + "options: {a: !!int '1'}", "tag"),
    (HEAD + "options: {a: !x y}", "tag"),
    ("cluster: [", "not readable"),
    ("%YAML 9.9\n---\na", "not readable"),
    (b"cluster: \xff", "not readable"),
    (b"\x00", "not readable"),
    ("cluster: os.system", "cluster os.system"),
    ("cluster: 1", "cluster 1"),
    ("cluster: distributed.__builtins__", "cluster distributed.__"),
    ("cluster: distributed", "cluster distributed;"),
    ("cluster: distributed.", "cluster distributed.;"),
    ("cluster: distributed.a b", "cluster distributed.a b"),
]


@pytest.mark.parametrize("content, words", REFUSED, ids=lambda value: ascii(value)[-30:])
def test_what_describes_no_cluster_is_refused_in_words_and_at_once(content, words, tmp_path):
    with within_limits(), pytest.raises(UserError, match=words) as refused:
        read(tmp_path, content)
    assert str(tmp_path) in str(refused.value) and cluster_file.KNOWN in str(refused.value)
    assert len(str(refused.value)) < 800


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.yml")
    (tmp_path / "folder.yml").mkdir()
    for name in ("pipe.yml", "folder.yml", "none.yml"):
        with pytest.raises(UserError, match="it is no file"):
            cluster_file.read(tmp_path / name)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=10),
    st.dates(),
    st.binary(max_size=5),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.one_of(st.text(max_size=5), st.integers()), inner, max_size=4)
    ),
    max_leaves=12,
)
described = st.fixed_dictionaries(
    {},
    optional={
        "cluster": st.sampled_from(["distributed.LocalCluster", "dask_cuda.X", 3]) | values,
        "jobs": st.integers() | values,
        "options": values,
        "more": values,
    },
)
texts = st.one_of(
    described.map(yaml.dump),
    described.map(lambda value: yaml.dump(value, default_flow_style=True)),
    st.text(max_size=80).map(HEAD.__add__),
    st.text("-:[]{}&*!|>'\"%@`#,? \n\tab01.~<=", max_size=60),
    st.binary(max_size=60),
)


@settings(
    max_examples=400, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts)
def test_any_file_is_read_or_refused(tmp_path, content):
    with within_limits():
        try:
            found = read(
                tmp_path,
                content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content,
            )
        except UserError as error:
            assert "cluster.yml: " in str(error) and len(str(error)) < 1000
            return
    assert found.package in cluster_file.CLUSTERS and 1 <= found.jobs <= cluster_file.JOBS
    assert type(found.jobs) is int and all(isinstance(name, str) for name in found.options)


def test_a_class_gets_the_options_as_they_stand(tmp_path, monkeypatch):
    import distributed

    class Made:
        def __init__(self, **options):
            if "bad" in options:
                raise ValueError("bad is none of its options")
            self.options = options

        def scale(self, jobs):
            self.options["jobs"] = jobs

    monkeypatch.setattr(distributed, "Made", Made, raising=False)
    path = tmp_path / "cluster.yml"
    path.write_text(
        "cluster: distributed.Made\njobs: 3\noptions: {walltime: 24:00:00, account: 0123}"
    )
    assert cluster._from_file(path).options == {
        "walltime": "24:00:00",
        "account": "0123",
        "jobs": 3,
    }
    path.write_text("cluster: distributed.Made\noptions: {bad: 1}")
    with pytest.raises(UserError, match="cluster.yml: bad is none of its options"):
        cluster._from_file(path)

"""A wrong world is noticed: an intermediate task whose training labels are shuffled gives nothing.

python tests/benchmarks/shuffled.py TASK TARGET,TARGET [-p NAME VALUE ...]

With a profile's parameters (`-p profile real -p data ROWS`). Prints, for each target, the
difference to no intermediate training of the task and of the same with shuffled labels, and the dev
score of both intermediate trainings."""

import sys

from xstilts.analysis import differences
from xstilts.runs import results
from xstilts.runs.key import starting_encoder
from xstilts.study import graph, grid, profiles
from xstilts.study.conditions import NONE, Comparison, Condition, against

if __name__ == "__main__":
    task, targets, *rest = sys.argv[1:]
    given = dict(zip(rest[1::3], rest[2::3], strict=True))
    study = profiles.study(**given | {"targets": targets})
    plain = Condition((task,))
    control = Condition((task,), shuffled=True, called=f"{task}, labels shuffled")
    runs = grid.runs(study, [NONE, plain, control], targets.split(","))
    asked = Comparison(runs, [against(plain), against(control), against(plain, control)])
    found = graph.obtain(study, runs)
    shown = differences.table(study, asked, found)
    print(shown.to_string(index=False, float_format="%.1f"))
    for condition in (plain, control):
        dev = [
            results.dev_scores(starting_encoder(run)).value.iloc[0]
            for (name, target, _), run in found.items()
            if name == condition and target == targets.split(",")[0]
        ]
        print(f"{condition}: dev {', '.join(f'{value:.1f}' for value in dev)}")

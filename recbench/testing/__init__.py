"""The conformance kit: what every algorithm has to keep to, one function a rule, for pytest and for `recbench check`.

```python
from recbench.testing import conformance

test_conformance = conformance("my-algorithm")  # one test a rule
```
"""

from recbench.testing.apart import judge_apart
from recbench.testing.conformance import conformance
from recbench.testing.rule import Breach, NotApplicable, Rule, State, Verdict, judge
from recbench.testing.rules import RULES, rules_named
from recbench.testing.subject import Subject, subjects

__all__ = [
    "RULES",
    "Breach",
    "NotApplicable",
    "Rule",
    "State",
    "Subject",
    "Verdict",
    "conformance",
    "judge",
    "judge_apart",
    "rules_named",
    "subjects",
]

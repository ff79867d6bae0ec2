"""What is wrong with a flow file: each error with its line and the way out, all of them at once, never a traceback."""

from __future__ import annotations

import os
import random
import textwrap
from pathlib import Path

import pytest

from junctor.errors import ConfigurationError, SeveralProblems
from junctor.flows import Overrides, load, wire
from junctor.flows.files.document import DEEPEST, LARGEST, MOST, parse_document
from tests.unit.flows.conftest import FLOW, Write

ALARM = "        class: alarm:Alarm\n"


def error_of(text: str, *, overlays: tuple[str, ...] = (), changes: tuple[str, ...] = ()) -> str:
    Path("bad.yaml").write_text(textwrap.dedent(text))
    with pytest.raises(ConfigurationError) as caught:
        wire(load("bad.yaml", Overrides(overlays=overlays, set=changes)))
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        # Keys
        (ALARM, ALARM + "        poool: 4\n", 'alarm.poool (bad.yaml:7): there is no such word. Did you mean "pool"?'),
        (ALARM, ALARM + "        limit: 4\n", "alarm.limit (bad.yaml:7): there is no such word. Settings of the class"),
        ("pool: 4", "pool: 4\n        pool: 5", 'bad.yaml:9: "pool" is here twice, first at bad.yaml:8. Remove one'),
        (
            "flow: machine-monitor",
            "flows: x",
            'flows (bad.yaml:2): there is no such key of a flow. Did you mean "flow"?',
        ),
        (ALARM, "", 'alarm (bad.yaml:5): "class" is missing. Write class: module:Class'),
        (
            "attempts: 5",
            "attemps: 5",
            'alarm.retry.attemps (bad.yaml:10): there is no such word. Did you mean "attempts"?',
        ),
        ("port: 8080", "prt: 8080", 'http.prt (bad.yaml:12): there is no such word. Did you mean "port"?'),
        ("parked: 1", "parkd: 1", 'alerts[0].when.parkd (bad.yaml:11): there is no such word. Did you mean "parked"?'),
        (
            "{parked: 1}",
            "{}",
            "alerts[0].when (bad.yaml:11): it is empty. Give one of: parked, stopped, held, suspended, queue,",
        ),
        ("when: {parked: 1}, ", "", 'alerts[0] (bad.yaml:11): "when" is missing.'),
        # Wrong kinds
        ("pool: 4", "pool: many", 'alarm.pool (bad.yaml:8): expected a number or a mapping, got "many".'),
        ("pool: 4", "pool: 0", "alarm.pool (bad.yaml:8): pool is 0. Give a number of deliveries at once"),
        ("pool: 4", f"pool: '{'1' * 5000}'", "alarm.pool.size (bad.yaml:8): "),
        ("pool: 4", "timeout: 1e10", "alarm.timeout (bad.yaml:8): 1e+10 s is more than 300 years. Give a time, or"),
        ("attempts: 5", "max: 1e300", "alarm.retry.max (bad.yaml:10): 1e+300 s is more than 300 years. Give a time"),
        ("alarm:Alarm", "a" * 5000, f"alarm.class (bad.yaml:6): {'a' * 60}...: it cannot be looked for: File name too"),
        ("pool: 4", "pool:", "alarm.pool (bad.yaml:8): expected a number or a mapping, got nothing."),
        ("pool: 4", "pool: true", "alarm.pool (bad.yaml:8): expected a number or a mapping, got True."),
        (
            "key: sensor",
            "key: 5",
            'alarm.key (bad.yaml:9): YAML reads 5 as a number, not as text. Put it in quotes: "5".',
        ),
        ("key: sensor", "key: [a]", "alarm.key (bad.yaml:9): expected the name of a field, got a list."),
        ("key: sensor", "order: any", "alarm.order (bad.yaml:9): 'any' is not known here. Write one of: strict, skip."),
        ("attempts: 5", "attempts: 2.5", "alarm.retry.attempts (bad.yaml:10): expected a whole number, got 2.5."),
        ("max: 30s", "max: soon", "alarm.retry.max (bad.yaml:10): 'soon' is not a duration"),
        (
            "{ConnectionError: hold}",
            "{OSError: wait}",
            "alarm.retry.on.OSError (bad.yaml:10): 'wait' is not known here.",
        ),
        ("{ConnectionError: hold}", "hold", 'alarm.retry.on (bad.yaml:10): expected a mapping, got "hold".'),
        ("port: 8080", "port: web", 'http.port (bad.yaml:12): expected a whole number, got "web".'),
        ("settings: {limit: 75}", "settings: [75]", "alarm.settings (bad.yaml:7): expected a mapping, got a list."),
        ("settings: {limit: 75}", "settings: {limit: [1]}", "alarm.limit (bad.yaml:7): expected float, got [1]."),
        ("settings: {limit: 75}", "settings: {limit: 101}", "alarm.limit (bad.yaml:7): 101.0 is above the maximum"),
        (
            "settings: {limit: 75}",
            "settings: {limt: 5}",
            'alarm.limt (bad.yaml:7): there is no such setting. Did you mean "li',
        ),
        ("settings: {limit: 75}", "enabled: maybe", "alarm.enabled (bad.yaml:7): 'maybe' is neither true nor false."),
        (
            "settings: {limit: 75}",
            "isolate: box",
            "alarm.isolate (bad.yaml:7): 'box' is not known here. Write one of",
        ),
        ("[{when", "{when", "bad.yaml:11:"),
        # What YAML reads otherwise than it looks
        (
            "{limit: 75}",
            "{limit: 12:30}",
            "alarm.limit (bad.yaml:7): YAML reads 12:30 as the number 750. Put it in quotes",
        ),
        (
            "{limit: 75}",
            "{limit: 010}",
            "010 is 8 to some readers of YAML, and 10 to others. Write 8 or 10 for the number",
        ),
        (
            "{limit: 75}",
            "{label: off}",
            "alarm.label (bad.yaml:7): YAML reads off as false, not as text. Put it in quotes:",
        ),
        (
            "{limit: 75}",
            "{label: 2026-01-01}",
            "alarm.label (bad.yaml:7): YAML reads 2026-01-01 as a date, not as text.",
        ),
        ("{limit: 75}", "{label: 1.10}", 'YAML reads 1.10 as a number, not as text. Put it in quotes: "1.10".'),
        (
            "{limit: 75}",
            "{mode: on}",
            'alarm.mode (bad.yaml:7): YAML reads on as true, not as text. Put it in quotes: "on".',
        ),
        ("{limit: 75}", "{names: {a: [no]}}", "alarm.names (bad.yaml:7): YAML reads no as false, not as text."),
        ("{limit: 75}", "{anything: {a: [no]}}", 'YAML reads no as false, not as text. Put it in quotes: "no".'),
        ("{limit: 75}", "{limit: yes}", 'YAML reads yes as true, not as text. Put it in quotes: "yes".'),
        ("{limit: 75}", "{token: 12}", "alarm.token (bad.yaml:7): the text is not in quotes. Put it in quotes."),
        ("flow: machine-monitor", "flow: off", "flow (bad.yaml:2): YAML reads off as false, not as text."),
        # Classes
        ("alarm:Alarm", "alrm:Alarm", 'alarm.class (bad.yaml:6): there is no module alrm. Did you mean "alarm"?'),
        ("alarm:Alarm", "nowhere:X", "alarm.class (bad.yaml:6): there is no module nowhere. Modules are looked for in"),
        ("alarm:Alarm", "alarm:Alrm", 'alarm.class (bad.yaml:6): there is no Alrm. Did you mean "Alarm"?'),
        ("alarm:Alarm", "alarm.Alarm", "alarm.class (bad.yaml:6): there is no module alarm.Alarm. Write alarm:Alarm."),
        (
            "alarm:Alarm",
            "alarm",
            "alarm.class (bad.yaml:6): the module has no marked function. Name the class: alarm:Alarm.",
        ),
        (
            "alarm:Alarm",
            "alarm:Path",
            "alarm.class (bad.yaml:6): Path is not a service. Name a class derived from Service",
        ),
        ("alarm:Alarm", "alarm.py", "alarm.class (bad.yaml:6): the module has no marked function."),
        ("alarm:Alarm", "alrm.py:Alarm", 'alarm.class (bad.yaml:6): there is no such file. Did you mean "alarm.py"?'),
        ("alarm:Alarm", "/etc/passwd:x", "alarm.class (bad.yaml:6): it is not a Python file. Name a file"),
        ("alarm:Alarm", ".alarm:Alarm", "alarm.class (bad.yaml:6): there is no module .alarm."),
        ("alarm:Alarm", "':Alarm'", "alarm.class (bad.yaml:6): a module is missing."),
        ("alarm:Alarm", "a b:Alarm", "alarm.class (bad.yaml:6): there is no module a b."),
        ("pool: 4", "hold: {initial: -5}", "alarm.hold.initial (bad.yaml:8): -5 is below 0. Give 0 or more."),
        ("pool: 4", "restart: {limit: -1}", "alarm.restart.limit (bad.yaml:8): -1 is below 0. Give 0 or more."),
        ("class: alarm:Alarm", "class: [a]", "alarm.class (bad.yaml:6): expected module:Class, got a list."),
        # Connections and schedules
        (
            "{readings: alarm}",
            "{readings: alrm}",
            'monitor.readings (bad.yaml:4): there is no service "alrm". Did you mean',
        ),
        ("{readings: alarm}", "{reading: alarm}", 'has no target of this name. Did you mean "readings"?'),
        ("{readings: alarm}", "alarm", 'monitor.connect (bad.yaml:4): expected a mapping, got "alarm".'),
        ("{readings: alarm}", "{readings: []}", "monitor.connect.readings (bad.yaml:4): it leads nowhere."),
        (
            "{readings: alarm}",
            "{readings: 5}",
            "monitor.connect.readings (bad.yaml:4): expected the name of a service, got 5.",
        ),
        (
            "{readings: alarm}",
            "{readings: {when: x}}",
            "monitor.connect.readings (bad.yaml:4): it does not say where it leads.",
        ),
        (
            "{readings: alarm}",
            "{readings: {to: alarm, wen: x}}",
            'readings.wen (bad.yaml:4): there is no such word. Did you mean "when"?',
        ),
        ("{readings: alarm}", "{readings: {to: alarm, when: 'body.'}}", "(bad.yaml:4)"),
        (
            "connect: {readings: alarm}",
            "schedules: {pol: 5s}",
            "monitor.schedules.pol (bad.yaml:4): there is no schedule of this name. Did",
        ),
        (
            "connect: {readings: alarm}",
            "schedules: {poll: off}",
            'To switch a schedule off, write false, or "off" in quotes.',
        ),
        ("connect: {readings: alarm}", "schedules: {poll: 0}", "there must be time between two calls, got 0."),
        ("connect: {readings: alarm}", "schedules: {poll: 0 6 * * *}", 'Write {cron: "0 6 * * *"}.'),
        ("connect: {readings: alarm}", "schedules: {poll: {cron: '61 * * * *'}}", "is not a schedule"),
        (
            "connect: {readings: alarm}",
            "schedules: {poll: {cron: '1 * * * *', zone: Mars/X}}",
            "'Mars/X' is not a time zone",
        ),
        ("connect: {readings: alarm}", "schedules: {poll: {every: 1s, cron: '* * * * *'}}", "either every or cron"),
        # References
        (
            "limit: 75",
            "limit: '${LIMIT}'",
            "bad.yaml:7: the variable LIMIT is not set. Set it in the environment or with",
        ),
        (
            "limit: 75",
            "limit: '${LIMIT-75}'",
            "bad.yaml:7: ${LIMIT-...} is no reference. A default is written ${LIMIT:-VALUE}.",
        ),
        ("limit: 75", "limit: '${LIMIT'", "bad.yaml:7: ${ is not closed. Write ${NAME}"),
        (
            "limit: 75",
            "limit: '${}'",
            "bad.yaml:7: ${} is no reference. Write ${NAME}, ${NAME:-default} or ${secret:NAME}",
        ),
        ("limit: 75", "token: '${secret:../x}'", 'bad.yaml:7: "../x" is no name of a secret.'),
        ("limit: 75", "limit: ${LIMIT:-75}", "Inside brackets a text with ${NAME} has to be in quotes."),
        # Names
        (
            "machine-monitor",
            "Machine Monitor",
            "flow (bad.yaml:2): 'Machine Monitor' cannot be a name. Use small letters",
        ),
        ("      alarm:\n", "      Alarm!:\n", "bad.yaml:5: 'Alarm!' cannot be a name."),
    ],
)
def test_one_thing_wrong(plant: Write, old: str, new: str, told: str) -> None:
    assert old in FLOW, old
    found = error_of(FLOW.replace(old, new, 1))
    assert told in found
    assert "Traceback" not in found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "bad.yaml: it is empty. Write for example: services:"),
        ("# only a remark\n", "bad.yaml: it is empty."),
        ("- a\n- b\n", "bad.yaml:1: it is not a mapping. Begin with a key"),
        ("just text", "bad.yaml:1: it is not a mapping."),
        ("flow: a\n", "bad.yaml: there is no service in it. Write services:"),
        ("services:\n", "services (bad.yaml:1): expected a mapping, got nothing."),
        ("services: {}\n", "bad.yaml: there is no service in it."),
        (
            "services: {alarm: }\n",
            "services.alarm (bad.yaml:1): expected a mapping, got nothing. Write for example {class:",
        ),
        ("services: {alarm: alarm:Alarm}\n", 'services.alarm (bad.yaml:1): expected a mapping, got "alarm:Alarm".'),
        ("a: 1\n---\nb: 2\n", "bad.yaml:2: there are several documents. Keep one"),
        ("services:\n\talarm: {}\n", "bad.yaml:2:1: there is a tab. Use blanks"),
        (
            "a: !!python/object/apply:os.system [ls]\n",
            "bad.yaml:1: the tag !!python/object/apply:os.system is not known",
        ),
        ("a: !mine 1\n", "bad.yaml:1: the tag !mine is not known here."),
        ("a: &x [*x]\n", "bad.yaml:1: *x contains itself."),
        ("a: &one 1\nb: *on\n", 'bad.yaml:2: there is no anchor &on. Did you mean "one"?'),
        ("? [a]\n: b\n", "bad.yaml:1: a key is a mapping or list."),
        ("{a: 1}: b\n", "bad.yaml:1: a key is a mapping or list."),
        ("?\n: a\n", "bad.yaml:1: a key is missing in front of the colon."),
        ("a: b: c\n", "A text with a colon and a blank in it has to be in quotes"),
        ("a: 'b\n", "bad.yaml:2:1: this is no YAML"),
        ("a: [1, 2\nb: 3\n", "bad.yaml:2:"),
        ("a: \x01\n", "bad.yaml:1: a character cannot stand in a file."),
        ("<<: 5\n", "<< takes a mapping."),
        (
            "include: 5\nservices: {a: {class: alarm:Alarm}}\n",
            "include (bad.yaml:1): expected the path of a flow file, got 5.",
        ),
        ("include: plant.py\n", 'expected the path of a flow file, got "plant.py".'),
        ("include: [none.yaml]\n", "none.yaml: there is no such file."),
        ("include: [flw.yaml]\n", 'flw.yaml: there is no such file. Did you mean "flow.yaml"?'),
        ("env_file: none.env\nservices: {a: {class: alarm:Alarm}}\n", "bad.yaml:1: none.env: there is no such file."),
    ],
)
def test_no_flow_at_all(plant: Write, text: str, told: str) -> None:
    assert told in error_of(text)


def test_several_problems_are_told_together(plant: Write) -> None:
    text = FLOW.replace("pool: 4", "pool: x").replace("port: 8080", "port: y").replace("limit: 75", "limit: z")
    found = error_of(text.replace("monitor:Monitor", "monitor:Nobody").replace("parked: 1", "parked: w"))
    assert found.startswith("bad.yaml: 4 problems\n") or found.startswith("bad.yaml: 5 problems\n")
    for place in (
        "monitor.class (bad.yaml:4)",
        "alarm.pool (bad.yaml:8)",
        "parked (bad.yaml:11)",
        "http.port (bad.yaml:12)",
    ):
        assert place in found
    two = error_of(FLOW.replace("{limit: 75}", "{limit: x, label: on, cont: 3}"))
    assert "3 problems" in two


def test_a_broken_module_is_told_once(plant: Write) -> None:
    plant("broken.py", "from junctor import Service\n1 / 0\n")
    found = error_of("services: {a: {class: broken:A}, b: {class: broken:B}}")
    assert found == "broken.py:2: ZeroDivisionError: division by zero. Correct the line; the whole traceback is below."


def test_a_service_twice_names_both_places(plant: Write) -> None:
    plant("one.yaml", "\nservices:\n  alarm: {class: alarm:Alarm}\n")
    found = error_of("include: one.yaml\nservices:\n  alarm: {class: alarm:Alarm}\n")
    assert 'bad.yaml:3: there is a service "alarm" already, at one.yaml:3.' in found


def test_files_that_include_each_other(plant: Write) -> None:
    plant("one.yaml", "include: two.yaml\n")
    plant("two.yaml", "\ninclude: [one.yaml]\n")
    found = error_of("include: one.yaml\n")
    assert "two.yaml:2: the files include each other: one.yaml -> two.yaml -> one.yaml." in found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("services: {alrm: {pool: 2}}", 'site.yaml:1: there is no service "alrm" in the flow. Did you mean "alarm"?'),
        ("services: {alrm: null}", "site.yaml:1: there is no services.alrm to remove. Did you mean"),
        ("http: {prt: null}", "site.yaml:1: there is no http.prt to remove."),
        ("services: {alarm: {poool: 2}}", "alarm.poool (site.yaml:1): there is no such word."),
        ("include: flow.yaml", "include (site.yaml:1): an overlay includes nothing."),
        ("srvices: {}", "srvices (site.yaml:1): there is no such key of a flow."),
        ("", "site.yaml: it is empty."),
    ],
)
def test_overlays(plant: Write, text: str, told: str) -> None:
    plant("site.yaml", text)
    assert told in error_of(FLOW, overlays=("site.yaml",))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("alarm.limt=5", 'alarm.limt (--set): there is no such setting. Did you mean "limit"?'),
        ("alarm.poool=5", 'alarm.poool (--set): there is no such setting. Did you mean "pool"?'),
        ("alarm.pool=x", 'alarm.pool (--set): expected a number or a mapping, got "x".'),
        ("alarm.retry=5", 'alarm.retry (--set): expected a mapping, got "5".'),
        ("alarm.retry.attemps=5", 'alarm.retry.attemps (--set): there is no such word. Did you mean "attempts"?'),
        (
            "alarm.names.cpu=x",
            "alarm.names.cpu (--set): a setting has no parts. Give the whole value of names, as JSON.",
        ),
        ("alarm.schedules=x", "alarm.schedules (--set): it does not say which one."),
        ("alarm.enabled=perhaps", "alarm.enabled (--set): 'perhaps' is neither true nor false."),
        ("alrm.limit=5", '--set alrm.limit: there is no service "alrm". Did you mean "alarm"?'),
        ("alarm=5", '"alarm" names no setting. Write service.setting=value.'),
        ("alarm.limit", '"alarm.limit" has no value. Write service.setting=value.'),
    ],
)
def test_changes(plant: Write, change: str, told: str) -> None:
    assert told in error_of(FLOW, changes=(change,))


@pytest.mark.parametrize(
    ("text", "told"),
    [("NAME\n", "one.env:1: the line is no variable."), ("# x\nA='b\n", "one.env:2: the quotes are not closed.")],
)
def test_files_of_variables(plant: Write, text: str, told: str) -> None:
    plant("one.env", text)
    with pytest.raises(ConfigurationError) as caught:
        load("flow.yaml", Overrides(env_files=("one.env",)))
    assert told in str(caught.value)


def test_a_variable_that_two_services_may_be_meant_by(plant: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNCTOR_SET_THE_ALARM__LIMIT", "10")
    said = error_of("services:\n  the-alarm: {class: 'alarm:Alarm'}\n  the_alarm: {class: 'alarm:Alarm'}\n")
    told = "JUNCTOR_SET_THE_ALARM__LIMIT: it may mean the-alarm or the_alarm. Write --set the-alarm.NAME=VALUE."
    assert told in said


# Bounds -------------------------------------------------------------------------------------------------------


def bomb(width: int = 9, depth: int = 9) -> str:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, depth)]
    return "\n".join(lines)


@pytest.mark.timeout(60)
def test_what_is_too_much_is_refused_at_once(plant: Write) -> None:
    assert f"it has more than {MOST} values" in error_of(bomb())
    assert f"it is nested deeper than {DEEPEST}" in error_of("a: " + "[" * 100_000)
    assert f"it is nested deeper than {DEEPEST}" in error_of("\n".join(" " * n + "a:" for n in range(1000)))
    assert f"it has more than {LARGEST >> 10} KiB" in error_of("a: " + "x" * LARGEST)
    assert f"it has more than {MOST} values" in error_of("a: [" + "1," * (MOST + 1) + "]")
    assert "no YAML" in error_of("a: " + "{" * 30 + "'" * 100_001)


def test_other_encodings(plant: Write) -> None:
    Path("bad.yaml").write_bytes(b"a: 1\nb: \xff\xfe\n")
    with pytest.raises(ConfigurationError, match="bad.yaml:2: it is not UTF-8. Save the file as UTF-8."):
        load("bad.yaml")
    Path("bad.yaml").write_bytes(textwrap.dedent(FLOW).encode("utf-16"))
    with pytest.raises(ConfigurationError, match="it is not UTF-8"):
        load("bad.yaml")
    Path("good.yaml").write_bytes(b"\xef\xbb\xbf" + textwrap.dedent(FLOW).encode())
    assert load("good.yaml").name == "machine-monitor"


def test_what_is_no_file(plant: Write) -> None:
    os.mkfifo("pipe.yaml")
    Path("folder.yaml").mkdir()
    for name, told in (
        ("pipe.yaml", "not a regular file"),
        ("none.yaml", "no such file"),
        ("folder.yaml", "not a regular file"),
    ):
        with pytest.raises(ConfigurationError, match=told):
            load(name)
    Path("secret.yaml").write_text("a: 1")
    Path("secret.yaml").chmod(0)
    if os.geteuid() != 0:
        with pytest.raises(ConfigurationError, match="it cannot be read: Permission denied"):
            load("secret.yaml")


# Mutations ----------------------------------------------------------------------------------------------------

WORDS = [
    "{", "}", "[", "]", ":", ": ", "- ", ",", "#", "&a ", "*a", "!x ", "!!int ", "|", ">", "'", '"', "%", "@", "`", "?",
    "\t", "\n", "\n\n", "  ", "---", "...", "~", "null", "on", "12:30", "010", "2026-01-01", "${", "${A}",
    "${secret:B}",
    "$$", "<<: ", "\x00", "\x7f", "\ufeff", "\u2028", "\ud7ff", "é", "a" * 300, "9" * 5000, "1e999", ".nan", "-", "-1",
    "class: 5", "settings: on", "pool: {}", "connect: []", "retry: {on: 5}", "include: x", "env_file: [[]]",
]  # fmt: skip


def mutated(text: str, dice: random.Random) -> str:
    """The text with one to four places changed."""
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(text))
        to = min(len(text), at + dice.choice([0, 0, 1, 2, 5, 20]))
        match dice.randrange(4):
            case 0:
                text = text[:at] + dice.choice(WORDS) + text[to:]
            case 1:
                text = text[:at] + text[to:]
            case 2:
                text = text[:to] + text[at:]
            case _:
                lines = text.split("\n")
                lines.insert(dice.randrange(len(lines)), lines[dice.randrange(len(lines))])
                text = "\n".join(lines)
        text = text or " "
    return text


@pytest.mark.parametrize("seed", range(4))
def test_no_mutation_gives_a_traceback(plant: Write, seed: int) -> None:
    """Prints seed and number of the file that fails, to be made again."""
    dice = random.Random(seed)
    wrong = 0
    for number in range(250):
        text = mutated(textwrap.dedent(FLOW), dice)
        Path("bad.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            wire(load("bad.yaml"))
        except ConfigurationError as error:
            wrong += 1
            problems = error.problems if isinstance(error, SeveralProblems) else (error,)
            for problem in problems:
                assert problem.fix.strip() and problem.where, f"seed {seed}, file {number}: {problem}"
                assert "\n" not in problem.what, f"seed {seed}, file {number}: {problem}"
        except BaseException as error:
            raise AssertionError(f"seed {seed}, file {number}:\n{text}") from error
    assert wrong > 100, "the mutations do something"


@pytest.mark.parametrize("seed", range(4))
def test_any_text_is_a_tree_or_an_error(seed: int) -> None:
    dice = random.Random(seed)
    for number in range(500):
        text = "".join(dice.choice(WORDS) for _ in range(dice.randint(1, 40)))
        try:
            parse_document(text, "bad.yaml")
        except ConfigurationError:
            pass
        except BaseException as error:
            raise AssertionError(f"seed {seed}, text {number}: {text!r}") from error

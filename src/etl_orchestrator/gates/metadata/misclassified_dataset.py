"""A dataset that is shown to users although its name says it is internal, or the other way round.

What it checks
    dataset_metadata.yaml of the table's dataset says `user_facing: false` exactly when the name ends in _derived,
    _external or _syndicate; and no table is made in a _live or _stable dataset, which the pipeline fills.
Why
    Access is granted by this line; that repository refuses the mismatch.
Example
    shop_derived/dataset_metadata.yaml says user_facing: true.
Repair
    Correct `user_facing`, or make the table in another dataset.
"""

from __future__ import annotations

from etl_orchestrator.errors import InvalidInput
from etl_orchestrator.finding import NotDue, Verdict, verdict
from etl_orchestrator.layout import paths, yaml_text
from etl_orchestrator.model import Model
from etl_orchestrator.phase import Gate, found
from etl_orchestrator.tools import Tools

_INTERNAL = ("_derived", "_external", "_syndicate")
_FILLED_BY_THE_PIPELINE = ("_live", "_stable")


def check(model: Model, tools: Tools) -> Verdict:
    folder = paths.table_folder(model.table)
    dataset = model.table.dataset
    if dataset.endswith(_FILLED_BY_THE_PIPELINE):
        message = f"`{dataset}` is filled by the pipeline, no query may write there"
        return verdict([found(GATE, message, folder, "make the table in a _derived dataset")], "")
    path = f"{folder.rpartition('/')[0]}/dataset_metadata.yaml"
    text = model.text(path) or tools.catalog.text(path)
    if text is None:
        return NotDue("the dataset has no dataset_metadata.yaml")
    try:
        document = yaml_text.load(text, path)
    except InvalidInput as error:
        return verdict([found(GATE, f"it cannot be read: {error.message}", error.at or path, "correct it")], "")
    facing = document.get("user_facing", False) if isinstance(document, dict) else False
    internal = dataset.endswith(_INTERNAL)
    if facing is not internal:
        return verdict([], f"user_facing: {str(facing).lower()} fits the name {dataset}")
    fix = f"write `user_facing: {str(not internal).lower()}`, or make the table in another dataset"
    return verdict(
        [found(GATE, f"user_facing: {str(facing).lower()} does not fit the name `{dataset}`", path, fix)], ""
    )


GATE = Gate("MET029", "misclassified_dataset", "requirements", check)

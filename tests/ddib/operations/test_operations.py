"""What holds for every operation of the registry."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

import ddib
from ddib.operations.checks import check_operation
from ddib.operations.operation import OPERATIONS, Operation
from ddib.operations.values import Scale


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_keeps_what_all_promise(operation: type[Operation]) -> None:
    check_operation(operation)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_is_a_name_of_the_library(operation: type[Operation]) -> None:
    assert getattr(ddib, operation.__name__) is operation


def test_an_operation_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Scale().factor = 2.0  # type: ignore[misc]


def test_importing_the_models_loads_no_torch() -> None:
    code = (
        "import sys, ddib.operations.checks, ddib.operations.recipe, workbench.session.reading;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""What is refused before any record is read."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace

import numpy as np
import pytest

from folkmoot_node.scoring.binding import bind
from folkmoot_node.sources.connect import connect
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk import (
    Category,
    Combine,
    Field,
    FieldType,
    Input,
    PluginError,
    ProtectedCharacteristic,
    RiskFactor,
    Schema,
    parameter,
)


def bound(node):
    return bind(node.policy, node.plugins, connect(node.config, node.plugins))


def refused(node) -> Problem:
    node.people.before_batch = node.tax.before_batch = lambda _: pytest.fail("a record was read")
    with pytest.raises(Problem) as raised:
        node.score()
    assert raised.value.exit_code is ExitCode.SETTINGS
    assert raised.value.remedy
    return raised.value


def edit(node, old, new):
    text = node.config.risk_policy.read_text()
    assert old in text
    node.write_policy(text.replace(old, new, 1))


def with_fields(schema, *fields):
    names = {field.name for field in fields}
    kept = [field for field in schema.fields if field.name not in names]
    return Schema(schema.name, schema.level, (*kept, *fields), has_date=schema.has_date)


def asking(*inputs, name="extra"):
    class Extra(RiskFactor):
        title = "Extra"
        description = "Asks for a field."
        domain = "test"

        def score(self, arrays, context):
            return np.zeros(len(next(iter(arrays.values()))))

        def explain(self, values, score, context):
            return ""

    Extra.name = name
    Extra.inputs = inputs
    return Extra


def add_factor(node, factor):
    node.factors[factor.name] = factor
    edit(node, "[[bands]]", f'[[factors]]\nfactor = "{factor.name}"\nweight = 1\n[[bands]]')


def test_an_unknown_factor_is_refused_with_the_nearest(node):
    edit(node, 'factor = "arrears"', 'factor = "arears"')
    problem = refused(node)
    assert "'arears'" in problem.problem
    assert "Did you mean 'arrears'?" in problem.remedy
    assert problem.where.endswith("factors[0].factor")


def test_an_unknown_parameter_is_refused_with_the_nearest(node):
    edit(node, "full = 2000", "ful = 2000")
    problem = refused(node)
    assert "'full'" in problem.remedy
    assert problem.where.endswith("factors[0].parameters.ful")


def test_a_parameter_out_of_range_is_refused(node):
    edit(node, "full = 2000", "full = 0")
    assert "out of range" in refused(node).problem


def test_an_input_that_no_source_provides_is_refused_with_the_nearest(node):
    add_factor(node, asking(Input("tenures", FieldType.CATEGORY, codes=("owned", "rented"))))
    problem = refused(node)
    assert "no source provides the field 'tenures'" in problem.problem
    assert "'tenure'" in problem.remedy


def test_an_optional_input_that_no_source_provides_is_unknown(node):
    seen = {}
    kinds = {
        "number": FieldType.NUMBER,
        "flag": FieldType.BOOLEAN,
        "day": FieldType.DATE,
        "kind": FieldType.CATEGORY,
    }
    factor = asking(
        *(
            Input(name, kind, codes=("a",) if kind is FieldType.CATEGORY else (), required=False)
            for name, kind in kinds.items()
        )
    )

    def score(self, arrays, context):
        seen.update(arrays)
        return np.zeros(len(arrays["number"]))

    factor.score = score
    add_factor(node, factor)
    node.score()
    assert np.isnan(seen["number"]).all()
    assert np.isnan(seen["flag"]).all()
    assert np.isnat(seen["day"]).all()
    assert seen["day"].dtype == "datetime64[D]"
    assert (seen["kind"] == -1).all()
    assert seen["kind"].dtype == np.int16


def test_an_input_that_two_sources_provide_is_refused(node):
    extra = next(f for f in node.tax.schema.fields if f.name == "council_tax_arrears")
    node.people.schema = with_fields(node.people.schema, extra)
    problem = refused(node)
    assert "more than one source (tax, people)" in problem.problem


@pytest.mark.parametrize(
    "changes,message",
    [
        ({"type": FieldType.DATE, "combine": Combine.MAXIMUM, "minimum": None}, "gives date"),
        ({"unit": "pence"}, "gives unit 'pence', the factor needs 'GBP'"),
    ],
)
def test_a_field_of_another_type_or_unit_is_refused(node, changes, message):
    field = next(f for f in node.tax.schema.fields if f.name == "council_tax_arrears")
    node.tax.schema = with_fields(node.tax.schema, replace(field, **changes))
    assert message in refused(node).problem


def test_an_integer_serves_where_a_number_is_asked_for(node):
    field = next(f for f in node.tax.schema.fields if f.name == "council_tax_arrears")
    node.tax.schema = with_fields(node.tax.schema, replace(field, type=FieldType.INTEGER))
    assert bound(node)


def test_a_code_that_the_factor_does_not_know_is_refused(node):
    field = next(f for f in node.tax.schema.fields if f.name == "tenure")
    node.tax.schema = with_fields(node.tax.schema, replace(field, codes=("owned", "squatted")))
    assert "does not know the code 'squatted'" in refused(node).problem


def test_a_protected_characteristic_without_a_reason_is_refused(node):
    edit(node, 'characteristic = "age"', 'characteristic = "sex"')
    problem = refused(node)
    assert "'oldest_age' states the protected characteristic 'age'" in problem.problem
    assert "[[protected]]" in problem.remedy


@pytest.mark.parametrize(
    "characteristic",
    [c for c in ProtectedCharacteristic if c.value != "age"],
    ids=lambda c: c.value,
)
def test_each_protected_characteristic_is_guarded(node, characteristic):
    field = Field(
        "note",
        FieldType.CATEGORY,
        Combine.FIRST,
        Category.DEMOGRAPHY,
        codes=("a", "b"),
        protected=characteristic,
    )
    node.people.schema = with_fields(node.people.schema, field)
    add_factor(node, asking(Input("note", FieldType.CATEGORY, codes=("a", "b"))))
    assert characteristic.value in refused(node).problem
    edit(
        node,
        "[[protected]]",
        f'[[protected]]\ncharacteristic = "{characteristic.value}"\nreason = "Need"\n[[protected]]',
    )
    assert bound(node).protected_inputs == {
        "oldest_age": ProtectedCharacteristic.AGE,
        "note": characteristic,
    }


def test_a_protected_characteristic_may_be_counted_and_is_listed(node):
    edit(node, 'factor = "alone"', 'factor = "renting2"')
    node.factors["renting2"] = type("Renting2", (node.factors["renting"],), {"name": "renting2"})
    edit(node, "[[protected]]", "# [[protected]]")
    edit(node, 'characteristic = "age"', "")
    edit(node, 'reason = "Isolation', '# "')
    binding = bound(node)
    assert binding.protected_inputs == {}
    assert binding.protected_attributes == {"age_group": ProtectedCharacteristic.AGE}


@pytest.mark.parametrize("name", ["nhs_number", "nino", "surname", "date_of_birth", "postcode"])
def test_direct_identifiers_are_never_used(node, name):
    field = Field(name, FieldType.INTEGER, Combine.FIRST, Category.DEMOGRAPHY)
    node.people.schema = with_fields(node.people.schema, field)
    before = node.config.risk_policy.read_text()
    add_factor(node, asking(Input(name, FieldType.INTEGER)))
    assert "direct identifier" in refused(node).problem
    node.write_policy(before + f'[attributes.x]\nfield = "{name}"\nbreaks = [1]\n')
    assert "direct identifier" in refused(node).problem


def test_consumer_data_needs_a_licence(node):
    field = next(f for f in node.tax.schema.fields if f.name == "tenure")
    node.tax.schema = with_fields(node.tax.schema, replace(field, consumer_data=True))
    assert "consumer data" in refused(node).problem
    use = '[[consumer_data]]\nfield = "tenure"\npurpose = "Need"\nlicence_ends = 2027-01-01\n'
    edit(node, "[[protected]]", use + "[[protected]]")
    assert bound(node).licences == {"tenure": datetime.date(2027, 1, 1)}


def test_an_attribute_of_consumer_data_needs_a_licence_too(node):
    field = next(f for f in node.people.schema.fields if f.name == "oldest_age")
    bought = Field(
        "stress", FieldType.INTEGER, Combine.MAXIMUM, Category.SEGMENTATION, consumer_data=True
    )
    node.people.schema = with_fields(node.people.schema, field, bought)
    text = node.config.risk_policy.read_text()
    node.write_policy(text + '[attributes.stress]\nfield = "stress"\nbreaks = [50]\n')
    assert "'stress' is bought consumer data" in refused(node).problem


def test_codes_of_attributes_are_public_and_end_with_unknown(node):
    codes = {attribute.name: attribute.codes for attribute in bound(node).attributes}
    assert codes == {
        "band": ("none", "low", "high"),
        "tenure": ("owned", "rented", "unknown"),
        "age_group": ("under_16", "16_24", "25_64", "65_74", "75_over", "unknown"),
        "lsoa": None,
    }


@pytest.mark.parametrize(
    "lines,message",
    [
        ('field = "tenures"', "no source provides the field 'tenures'"),
        ('field = "oldest_age"', "needs breaks"),
        ('field = "tenure"\nbreaks = [1]', "has no breaks"),
        ('field = "lsoa"\nbreaks = [1]', "has no breaks"),
    ],
)
def test_a_wrong_attribute_is_refused(node, lines, message):
    node.write_policy(node.config.risk_policy.read_text() + f"[attributes.extra]\n{lines}\n")
    assert message in refused(node).problem


def test_a_code_that_no_round_could_name_is_refused(node):
    field = next(f for f in node.tax.schema.fields if f.name == "tenure")
    node.tax.schema = with_fields(node.tax.schema, replace(field, codes=("owned outright",)))
    edit(node, 'factor = "renting"', 'factor = "extra"')
    node.factors["extra"] = asking(Input("people", FieldType.INTEGER))
    assert "'owned outright'" in refused(node).problem


def test_an_unknown_kind_of_source_is_refused_with_the_nearest(node):
    text = (node.home / "node.toml").read_text()
    node.write_node(text.replace("people_book", "people_bok"))
    assert "'people_book'" in refused(node).remedy


def test_an_unknown_option_of_a_source_is_refused(node):
    text = (node.home / "node.toml").read_text()
    node.write_node(text + "[sources.options]\nfolder = 'x'\n")
    assert refused(node).where.endswith("sources.people.options.folder")


def test_the_base_of_a_source_is_not_for_the_file_to_set(node):
    text = (node.home / "node.toml").read_text()
    node.write_node(text + "[sources.options]\nbase = '/'\n")
    assert "set by the node" in refused(node).problem


def test_parameters_that_contradict_each_other_are_refused(node):
    @dataclass(frozen=True)
    class Window:
        low: float = parameter(default=5.0)

        def __post_init__(self):
            raise PluginError("low", "is above high", "Lower it")

    factor = asking(Input("people", FieldType.INTEGER))
    factor.Parameters = Window
    add_factor(node, factor)
    assert refused(node).problem == "is above high"

"""Composition of charges beside dp-accounting, a library of its own for the same arithmetic."""

import pytest
from dp_accounting import pld, rdp
from dp_accounting.dp_event import ZCDpEvent

DELTA = 1e-6
# How often, and what each costs.
CHARGES = [
    [(40, "0.1")],
    [(200, "0.01")],
    [(5, "1")],
    [(30, "0.05"), (10, "0.25"), (1, "0.5")],
]


def tight(charges):
    """The exact bound, from the distribution of the loss of randomized response."""
    composed = None
    for count, epsilon in charges:
        loss = pld.privacy_loss_distribution.from_privacy_parameters(
            pld.common.DifferentialPrivacyParameters(float(epsilon), 0),
            value_discretization_interval=1e-5,
        ).self_compose(count)
        composed = loss if composed is None else composed.compose(loss)
    return composed.get_epsilon_for_delta(DELTA)


@pytest.mark.parametrize("charges", CHARGES)
def test_bounds_of_composition_agree_with_another_library(db, charges):
    db.execute("SELECT anon_dp_budget_create('oracle', 1000)")
    db.execute("SELECT anon_dp_budget_grant('oracle', session_user::text)")
    db.execute("SET confiture.dp_budget = 'oracle'")
    for count, epsilon in charges:
        groups = f"generate_series(1, {count}) AS g GROUP BY g"
        db.execute(f"SELECT anon_dp_count(g, {epsilon}) FROM {groups}")
    report = "SELECT accounting, epsilon FROM anon_dp_budget_report('oracle', %s)"
    found = dict(db.rows(report, [DELTA]))
    total = sum(count * float(epsilon) for count, epsilon in charges)
    assert found["basic"] == pytest.approx(total)
    # No bound is below the truth, and the one by Kairouz, Oh and Viswanath is near it.
    exact = tight(charges)
    assert exact * 0.999 <= found["KOV"] <= total * 1.000001
    assert found["KOV"] <= 1.3 * exact
    # The library turns ρ into ε more closely than the formula that is cited.
    rho = sum(count * float(epsilon) ** 2 / 2 for count, epsilon in charges)
    closer = rdp.RdpAccountant().compose(ZCDpEvent(rho)).get_epsilon(DELTA)
    assert closer * 0.999 <= found["zCDP"] <= 1.3 * closer

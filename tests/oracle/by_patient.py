"""What differs by patient (rules 8 and 9): waiting, benefits of acts, contraindications, by profile and hidden state.

By itself and after what every scenario does, as are locked decisions: where nothing differs, a step knows nothing of it.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from oracle.exposure import exposures, progression_chance_of
from oracle.state import DELAY, LATE_HARM, N_POSSIBLE, OUTCOMES, STATUS
from oracle.tracking import weight_of
from workup.envs.engine.numba_options import jit
from workup.envs.model.codes import RESULT


@jit
def waiting_rate(k, h, world):
    """Pounds of an hour's waiting, beside what the condition says."""
    at = world.at
    return world.reals[at.waiting_more + k * at.n_hidden + h] if at.waits else 0.0


@jit
def feared_loss(i, k, h, world, rows):
    """Loss by orders placed while their contraindication was unknown, if this is the patient."""
    at, ints, reals = world.at, world.ints, world.reals
    loss = 0.0
    for y in range(at.n_fears):
        count = rows.marks[i, at.feared + ints[at.fear + y]]
        if count:
            loss += count * reals[at.fear_loss + (y * at.n_profiles + k) * at.n_hidden + h]
    return loss


@jit
def benefit_by_state(b, k, h, cut_off, world):
    """Benefit b in a state; of a journey that was cut off only what is negative."""
    at = world.at
    pounds = world.reals[at.benefit_more + (b * at.n_profiles + k) * at.n_hidden + h]
    return min(pounds, 0.0) if cut_off else pounds


@jit
def benefit_if(i, b, k, h, chance, cut_off, world, rows):
    """Benefit b of a patient who has progressed with this chance; 0 if its act was not done."""
    at, ints = world.at, world.ints
    if rows.marks[i, STATUS + ints[at.benefit_act + b]] != RESULT:
        return 0.0
    pounds = (1.0 - chance) * benefit_by_state(b, k, h, cut_off, world)
    if chance > 0.0:
        pounds += chance * benefit_by_state(b, k, ints[at.worse_state + h], cut_off, world)
    return pounds


@jit
def add_by_patient(i, scale, world, rows):
    """Add posterior expectations to delay, late harm and the utility of each decision and of truncation."""
    at, ints = world.at, world.ints
    n_hidden, n_decisions, utility = at.n_hidden, at.n_decisions, at.expected + OUTCOMES
    size = n_hidden // at.n_conditions
    for c in range(at.n_conditions):
        waited, chance = exposures(i, c, world, rows)[0], progression_chance_of(i, c, world, rows)
        for a in range(rows.counts[i, N_POSSIBLE]):
            k = rows.counts[i, at.possible + a]
            for h in range(c * size, c * size + size):
                w = scale * weight_of(i, a, h, world, rows)
                if w == 0.0:
                    continue
                rows.amounts[i, at.expected + DELAY] += w * waited * waiting_rate(k, h, world)
                rows.amounts[i, at.expected + LATE_HARM] += w * feared_loss(i, k, h, world, rows)
                for b in range(at.n_benefits):
                    pounds = w * benefit_if(i, b, k, h, chance, False, world, rows)
                    for d in range(n_decisions):
                        rows.amounts[i, utility + d] += pounds * ints[at.benefit_decided + b * n_decisions + d]
                    rows.amounts[i, utility + n_decisions] += w * benefit_if(i, b, k, h, chance, True, world, rows)


@jit
def benefit_by_truth(i, d, k, h, chance, world, rows):
    """What acts add to the end of the journey of one patient; d: the decision, or their number if it was cut off."""
    at, ints = world.at, world.ints
    total, cut_off = 0.0, d == at.n_decisions
    for b in range(at.n_benefits):
        if cut_off or ints[at.benefit_decided + b * at.n_decisions + d]:
            total += benefit_if(i, b, k, h, chance, cut_off, world, rows)
    return total

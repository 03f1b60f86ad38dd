"""Masked PPO: `policy` acts without torch, `training` learns (and imports torch), `env` and `inputs` lie between."""

from workup.agents.learned.ppo.learner import LEARNERS
from workup.agents.learned.ppo.policy import PPOAgent

__all__ = ["LEARNERS", "PPOAgent"]

"""How Gymnasium, Stable-Baselines3 and a terminal see the engine. Imports envs.engine, envs.compile and envs.records."""

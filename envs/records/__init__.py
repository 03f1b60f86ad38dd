"""What happened: journeys, how they are run, written and told. Imports envs.engine and envs.compile."""

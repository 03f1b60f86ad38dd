"""Raw data of findings: notes, tables, films, slides and waveforms, a kind a file, drawn by (seed, patient, what is shown) alone."""

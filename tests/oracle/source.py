"""The last field of the record that the frozen kernel is handed, so that it is not taken for the present one."""

SOURCE = "source_before"

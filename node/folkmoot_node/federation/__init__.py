"""The wire to the coordinator: identity, enrolment, calls. Zone W."""

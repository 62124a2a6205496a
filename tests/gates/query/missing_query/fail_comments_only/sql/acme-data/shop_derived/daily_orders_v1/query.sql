-- Orders and revenue per day and country.
/* to be
written */

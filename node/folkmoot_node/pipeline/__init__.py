"""One scoring run in stages, on threads, Prefect or Dask. Residents' records: zone R."""

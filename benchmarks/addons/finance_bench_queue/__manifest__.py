{
    "name": "Finance Connect: benchmark of the job queue",
    "summary": "The same small jobs for our lanes and for OCA queue_job",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "author": "Finance Connect contributors",
    "license": "LGPL-3",
    "depends": ["finance_test_jobs"],
    "installable": True,
}

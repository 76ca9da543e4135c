"""gpudrift every night: on the worker itself, and in a pod of its own.

A run is about its own day (`--as-of`), so a run that Airflow does again, or later, is the same run in the history. Exit
code 1 means that --fail-on was reached; 99, Airflow's code for a skipped task, is left to Airflow.
"""

from datetime import datetime, timedelta

from airflow import DAG
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.standard.operators.bash import BashOperator

with DAG(
    dag_id="gpudrift",
    schedule="0 2 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=10)},
    tags=["monitoring"],
) as dag:
    scan = BashOperator(
        task_id="scan",
        cwd="/srv/drift",
        bash_command="gpudrift scan --as-of {{ data_interval_end | ds }} --current-window yesterday --fail-on critical",
        # The gate is an answer and no failure to be retried: what follows is skipped.
        skip_on_exit_code=1,
    )
    retrain = BashOperator(
        task_id="retrain_check",
        cwd="/srv/drift",
        bash_command="gpudrift retrain check --config gpudrift.toml",
    )
    in_a_pod = KubernetesPodOperator(
        task_id="scan_in_a_pod",
        name="gpudrift",
        image="gpudrift:latest",
        arguments=[
            "scan",
            "--config",
            "/etc/gpudrift/gpudrift.toml",
            "--as-of",
            "{{ data_interval_end | ds }}",
            "--current-window",
            "yesterday",
        ],
        container_resources={"requests": {"cpu": "4", "memory": "8Gi"}},
        on_finish_action="delete_pod",
    )
    scan >> retrain

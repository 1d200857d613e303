"""Presentation of runs: tables, figures, the report, notebooks, MLflow. Depends on the records of runs only."""

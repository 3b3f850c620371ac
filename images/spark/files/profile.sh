# shellcheck shell=sh
# Spark for login shells.
export SPARK_HOME=/opt/spark JAVA_HOME=/opt/java
export PATH="$SPARK_HOME/bin:$PATH"

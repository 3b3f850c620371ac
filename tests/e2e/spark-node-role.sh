#!/bin/bash
# spark-node finds a node's role in role.env or in the cloud's metadata, starts what it asks for, stops the rest, and says
# what is wrong with a bad one. Its files are in a folder of the test; systemctl is a script that takes notes.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2016 # for the script
printf '#!/bin/sh\necho "$*" >>"$CALLS"\n' >"$work/systemctl"
chmod 755 "$work/systemctl"
export CALLS=$work/calls PATH=$work:$PATH PYTHONDONTWRITEBYTECODE=1

python3 - "$PWD/images/spark/files/node/spark-node" "$work" <<'PY'
import importlib.machinery, importlib.util, json, os, sys, unittest

program, work = sys.argv.pop(1), sys.argv.pop(1)
loader = importlib.machinery.SourceFileLoader("spark_node", program)
node = importlib.util.module_from_spec(importlib.util.spec_from_loader("spark_node", loader))
loader.exec_module(node)
node.ROLE_FILE, node.STATE, node.INSTANCE_DATA = f"{work}/role.env", f"{work}/state", f"{work}/instance-data.json"


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Role(unittest.TestCase):
    def setUp(self):
        for path in (node.ROLE_FILE, node.INSTANCE_DATA, f"{node.STATE}/env", os.environ["CALLS"]):
            if os.path.exists(path):
                os.unlink(path)

    def choose(self, role_env=None, metadata=None):
        if role_env is not None:
            write(node.ROLE_FILE, role_env)
        if metadata is not None:
            write(node.INSTANCE_DATA, json.dumps({"ds": {"meta_data": metadata}}))
        node.choose_role()
        with open(os.environ["CALLS"], encoding="utf-8") as file:
            return [" ".join(line.split()[1:]) for line in file]

    def url(self):
        return node.read_assignments(f"{node.STATE}/env")["SPARK_MASTER_URL"]

    def test_master_by_user_data(self):
        self.assertEqual(self.choose("# a comment\nSPARK_ROLE=master\n"), ["start spark-master.service", "stop spark-worker.service"])

    def test_worker_by_user_data(self):
        calls = self.choose('SPARK_ROLE="worker"\nSPARK_MASTER_URL=spark://a:7077,b:7077\n')
        self.assertEqual(calls, ["stop spark-master.service", "start spark-worker.service"])
        self.assertEqual(self.url(), "spark://a:7077,b:7077")

    def test_both_on_one_node(self):
        calls = self.choose("SPARK_ROLE=master,worker\nSPARK_MASTER_HOST=me\nSPARK_MASTER_PORT=7000\n")
        self.assertEqual(calls, ["start spark-master.service", "start spark-worker.service"])
        self.assertEqual(self.url(), "spark://me:7000")

    def test_attributes_of_compute_engine(self):
        self.choose(metadata={"instance-data": '{"spark-role": "worker", "spark-master-url": "spark://m:7077"}'})
        self.assertEqual(self.url(), "spark://m:7077")

    def test_tags_of_ec2(self):
        calls = self.choose(metadata={"tags": {"instance": {"spark-role": "master"}}})
        self.assertEqual(calls[0], "start spark-master.service")

    def test_user_data_goes_before_metadata(self):
        calls = self.choose("SPARK_ROLE=none\n", {"tags": {"instance": {"spark-role": "master"}}})
        self.assertEqual(calls, ["stop spark-master.service", "stop spark-worker.service"])

    def test_no_role_starts_nothing(self):
        self.assertEqual(self.choose(), ["stop spark-master.service", "stop spark-worker.service"])

    def test_unknown_role(self):
        with self.assertRaisesRegex(node.Failure, "SPARK_ROLE is 'boss'; it can be master"):
            self.choose("SPARK_ROLE=boss\n")

    def test_worker_without_a_master(self):
        for text in ("", "SPARK_MASTER_URL=http://m:7077\n", "SPARK_MASTER_URL=spark://m\n"):
            with self.assertRaisesRegex(node.Failure, "a worker needs spark://HOST:PORT"):
                self.choose("SPARK_ROLE=worker\n" + text)

    def test_values_are_read_as_systemd_reads_them(self):
        write(node.ROLE_FILE, "A=QEMU NVMe Ctrl\nB='x  y'\n;C=1\nD=\n")
        self.assertEqual(node.read_assignments(node.ROLE_FILE), {"A": "QEMU NVMe Ctrl", "B": "x  y", "D": ""})

    def test_state_is_added_to(self):
        node.write_state({"SPARK_LOCAL_DIRS": "/mnt/a b"})
        self.choose("SPARK_ROLE=master\nSPARK_MASTER_HOST=me\n")
        self.assertEqual(node.read_assignments(f"{node.STATE}/env"),
                         {"SPARK_LOCAL_DIRS": "/mnt/a b", "SPARK_MASTER_URL": "spark://me:7077"})


class Scratch(unittest.TestCase):
    def test_disks_are_chosen_by_model(self):
        for name, model in (("nvme0n1", "Amazon Elastic Block Store"), ("nvme1n1", "Amazon EC2 NVMe Instance Storage"),
                            ("nvme2n1", "nvme_card-pd"), ("nvme3n1", "nvme_card7")):
            os.makedirs(f"{work}/block/{name}/device")
            write(f"{work}/block/{name}/device/model", f"{model:<40}\n")
        os.makedirs(f"{work}/block/loop0")
        self.assertEqual(node.scratch_disks(node.SCRATCH_MODELS, f"{work}/block"), ["nvme1n1", "nvme3n1"])


unittest.main()
PY

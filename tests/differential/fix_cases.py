#!/usr/bin/env python3
"""Old JSON templates through kiln's fix and through the real Packer's, in the current folder.

    fix_cases.py KILN PACKER

Every key that was renamed once, in every builder that a fix is about, with values of several kinds. Exit status 1 when
a text differs.
"""
import json
import subprocess
import sys

BUILDERS = ["amazon-ebs", "amazon-ebssurrogate", "amazon-ebsvolume", "amazon-instance", "amazon-chroot", "googlecompute",
            "qemu", "docker", "file", "null", "virtualbox", "virtualbox-iso", "virtualbox-ovf", "vmware", "vmware-iso",
            "parallels-iso", "parallels-pvm", "scaleway", "hyperv-iso", "hyperv-vmcx", "vsphere-iso", "azure-arm",
            "proxmox"]
KEYS = """iso_md5 iso_checksum_type iso_checksum_url guest_additions_attach headless parallels_tools_host_path
guest_os_distribution ssh_key_path ssh_disable_agent access_key shutdown_behaviour enhanced_networking
temporary_security_group_source_cidr vhd_temp_path clone_from_vmxc_path cpu ram_size spot_price_auto_product disk_size
ssh_host_port_min ssh_host_port_max ssh_skip_nat_mapping ssh_wait_timeout network network_card disk_thin_provisioned
remote_type disk_type_id login_email""".split()
VALUES = [True, "x", "a,b", 40960, 1.5, ["a"], None, "", {"k": "v"}]
PAIRS = [{"iso_checksum": "x", "iso_checksum_type": "none", "iso_checksum_url": "u"},
         {"iso_checksum": "x", "iso_checksum_type": "md5", "iso_checksum_url": ""},
         {"ssh_host_port_min": 5, "host_port_min": 6}, {"ssh_private_ip": True, "ssh_interface": "x"},
         {"ssh_private_ip": "false"}, {"ssh_private_ip": True}, {"ssh_key_path": "x", "ssh_private_key_file": "y"},
         {"remote_type": "esx5"}, {"remote_type": "esx5", "disk_type_id": "thin"}, {"disk_size": 5, "storage": [{"x": 1}]},
         {"ami_name": "{{ .CreateTime }}-{{isotime | clean_ami_name}}"}, {"tags": {"N": "{{clean_image_name `x`}}"}}]
TAGS = ["a", "a, b", ["a", "b"], 5, {}, ""]
POSTS = [{"type": "docker-tag", "tag": a, "tags": b} for a in TAGS for b in TAGS]
POSTS += [{"type": "docker-tag"}, "docker-tag", ["compress", {"type": "docker-tag", "tag": "x"}],
          {"type": "manifest", "filename": "a"}, {"type": "manifest", "filename": 5}, {"type": "vagrant", "aws": {"a": 1}},
          {"type": "docker-push", "login_email": "x"}]
STEPS = [{"type": t, k: v} for t in ("powershell", "shell", "ansible-local")
         for k, v in (("galaxycommand", "g"), ("elevated_user", "a`$b``c`\"d"), ("environment_vars", ["A=`$1", "B=``"]),
                      ("override", {"virtualbox": {"a": 1}, "vmware": {"b": 1}}))]


def templates():
    for key in KEYS:
        yield {"builders": [{"type": t, key: v} for t in BUILDERS for v in VALUES], "post-processors": []
               if key != "login_email" else ["compress"]}
    yield {"builders": [dict(pair, type=t) for t in BUILDERS for pair in PAIRS]}
    yield {"builders": [], "post-processors": POSTS, "provisioners": STEPS}
    yield {"builders": [], "n": [0, -0.0, 1e21, 1e20, 1e-6, 1e-7, 123456789012345678, 0.1], "t": "<&>\u2028\u007f\b\n\"\\"}


def run(program, name):
    done = subprocess.run([program, "fix", "-validate=false", name], capture_output=True, timeout=120, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def main():
    kiln, packer = sys.argv[1:]
    bad = count = 0
    for template in templates():
        with open("old.json", "w", encoding="utf-8") as f:
            json.dump(template, f)
        count += 1
        mine, theirs = run(kiln, "old.json"), run(packer, "old.json")
        if mine == theirs:
            continue
        bad += 1
        lines = [(a, b) for a, b in zip(mine[1].split("\n"), theirs[1].split("\n")) if a != b]
        print("%.100s\n  kiln %d, packer %d; first difference: %r" % (json.dumps(template), mine[0], theirs[0], lines[:1]))
    print("%d templates, %d differ" % (count, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

# Apache Spark on Debian, as a Docker image and as machine images for EC2 and Google Compute Engine: one list of steps
# for all of them. docs/spark.md tells what is in the image and how to use it. Valid for kiln and for Packer 1.6.6 on.

variable "spark_version" {
  type        = string
  default     = "4.3.0"
  description = "Release of Apache Spark; files/pins has the checksums of those that are known."
  validation {
    condition     = var.spark_version != "" && regex_replace(var.spark_version, "^[0-9]+[.][0-9]+[.][0-9]+(-preview[0-9]+)?$", "") == ""
    error_message = "The spark_version must look like 4.3.0 or 4.2.0-preview5."
  }
}

variable "java_version" {
  type        = string
  default     = "17"
  description = "Release of OpenJDK, from the distribution's packages; Debian 12 has 17."
  validation {
    condition     = contains(["17", "21", "25"], var.java_version)
    error_message = "The java_version must be 17, 21 or 25."
  }
}

variable "python_packages" {
  type        = list(string)
  default     = ["python3-numpy", "python3-pip", "python3-venv"]
  description = "Packages of the distribution that PySpark programs are to find."
  validation {
    condition     = regex_replace(join(" ", var.python_packages), "^[a-z0-9.+ -]*$", "") == ""
    error_message = "The python_packages must be names of Debian packages."
  }
}

variable "base" {
  type        = string
  default     = "bootstrap:debian/bookworm"
  description = "What the image starts from. Packer needs an image of a registry here, such as debian:bookworm-slim."
  validation {
    condition     = length(var.base) > 0
    error_message = "The base must not be empty."
  }
}

variable "ec2_base" {
  type        = string
  default     = ""
  description = "What the EC2 image starts from; the same as base when empty. Packer needs an AMI's id here."
}

variable "gce_base" {
  type        = string
  default     = ""
  description = "What the Compute Engine image starts from; the same as base when empty. Packer needs an image's name here."
}

variable "spark_source" {
  type        = string
  default     = "pyspark"
  description = "Where Spark comes from: pyspark (pip's configured index), apache (apache_url) or file (spark_file)."
  validation {
    condition     = contains(["pyspark", "apache", "file"], var.spark_source)
    error_message = "The spark_source must be pyspark, apache or file."
  }
}

variable "spark_file" {
  type        = string
  default     = ""
  description = "With spark_source=file: a Spark distribution (.tgz) or a pyspark source distribution (.tar.gz)."
}

variable "spark_sha256" {
  type        = string
  default     = ""
  description = "SHA-256 that the pyspark package or spark_file must have; empty: that of files/pins."
  validation {
    condition     = regex_replace(var.spark_sha256, "^[0-9a-f]{64}$", "") == ""
    error_message = "The spark_sha256 must be 64 hexadecimal digits in lower case."
  }
}

variable "apache_url" {
  type        = string
  default     = ""
  description = "With spark_source=apache: the address above spark-VERSION/, on a mirror or an archive of Apache Spark."
}

variable "apache_archive" {
  type        = string
  default     = ""
  description = "File name of the distribution there; empty: spark-VERSION-bin-hadoop3.tgz."
}

variable "apache_keys_url" {
  type        = string
  default     = ""
  description = "Address of the release managers' public keys; empty: KEYS beside the releases."
}

variable "apache_signers" {
  type        = list(string)
  default     = []
  description = "OpenPGP fingerprints whose signatures count; empty: those of files/pins."
  validation {
    condition     = regex_replace(join(" ", var.apache_signers), "^([0-9A-F]{40}( |$))*$", "") == ""
    error_message = "The apache_signers must be fingerprints, 40 hexadecimal digits in upper case each."
  }
}

variable "docker_repository" {
  type        = string
  default     = "spark"
  description = "Name that the Docker image gets, with spark_version as its tag."
}

variable "docker_run_options" {
  type        = list(string)
  default     = []
  description = "For Packer: further options of docker run for the container that is provisioned."
}

variable "region" {
  type        = string
  default     = "us-east-1"
  description = "AWS region of the EC2 image."
}

variable "project_id" {
  type        = string
  default     = "my-project"
  description = "Google Cloud project of the Compute Engine image."
}

variable "zone" {
  type        = string
  default     = "us-central1-a"
  description = "Google Cloud zone in which a machine would be started."
}

locals {
  # A dot is not allowed in the name of a Compute Engine image.
  image_name = "spark-${replace(var.spark_version, ".", "-")}-java${var.java_version}"

  # A container has no sudo, a machine's login user needs it; one command for all sources lets them share their steps.
  execute_command = "chmod +x {{ .Path }}; {{ .Vars }} $(test $(id -u) = 0 || echo sudo -E) {{ .Path }}"
}

source "docker" "spark" {
  image       = var.base
  commit      = true
  run_command = concat(["-d", "-i", "-t", "--entrypoint=/bin/sh"], var.docker_run_options, ["--", "{{ .Image }}"])
  changes = [
    "ENTRYPOINT [\"/usr/bin/tini\", \"-s\", \"--\", \"/opt/entrypoint.sh\"]",
    "CMD []",
    "USER 185",
    "WORKDIR /opt/spark/work-dir",
    "ENV PATH=/opt/spark/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "ENV LANG=C.UTF-8",
    "ENV JAVA_HOME=/opt/java",
    "ENV SPARK_HOME=/opt/spark",
    "EXPOSE 4040 6066 7077 8080 8081 18080",
    "LABEL org.opencontainers.image.title=spark",
    "LABEL org.opencontainers.image.description=\"Apache Spark ${var.spark_version} on Debian, OpenJDK ${var.java_version}\"",
    "LABEL org.opencontainers.image.version=${var.spark_version}",
    "LABEL org.opencontainers.image.licenses=Apache-2.0",
  ]
}

source "amazon-ebs" "spark" {
  ami_name        = local.image_name
  ami_description = "Apache Spark ${var.spark_version} on Debian, OpenJDK ${var.java_version}"
  source_ami      = var.ec2_base == "" ? var.base : var.ec2_base
  region          = var.region
  instance_type   = "m6i.large"
  ssh_username    = "admin"
  ena_support     = true
  tags = {
    Name  = local.image_name
    Spark = var.spark_version
  }
}

source "googlecompute" "spark" {
  image_name        = local.image_name
  image_family      = "spark"
  image_description = "Apache Spark ${var.spark_version} on Debian, OpenJDK ${var.java_version}"
  source_image      = var.gce_base == "" ? var.base : var.gce_base
  project_id        = var.project_id
  zone              = var.zone
  ssh_username      = "packer"
}

build {
  sources = ["source.docker.spark", "source.amazon-ebs.spark", "source.googlecompute.spark"]

  provisioner "shell" {
    script          = "${path.root}/scripts/10-packages.sh"
    execute_command = local.execute_command
  }

  provisioner "shell" {
    script           = "${path.root}/scripts/20-java.sh"
    execute_command  = local.execute_command
    environment_vars = ["JAVA_VERSION=${var.java_version}"]
  }

  provisioner "shell" {
    script           = "${path.root}/scripts/30-python.sh"
    execute_command  = local.execute_command
    environment_vars = ["PYTHON_PACKAGES=${join(" ", var.python_packages)}"]
  }

  provisioner "file" {
    source      = "${path.root}/files/pins"
    destination = "/tmp/spark-pins"
  }

  provisioner "file" {
    source      = "${path.root}/files/fetch.py"
    destination = "/tmp/spark-fetch.py"
  }

  provisioner "file" {
    source      = "${path.root}/files/verify.py"
    destination = "/tmp/spark-verify.py"
  }

  # A folder without a slash at its end: it becomes /tmp/spark-home.
  provisioner "file" {
    source      = "${path.root}/files/spark-home"
    destination = "/tmp"
  }

  # An empty file where Spark does not come from a file.
  provisioner "file" {
    source      = var.spark_source == "file" ? var.spark_file : "${path.root}/files/no-archive"
    destination = "/tmp/spark-archive"
  }

  provisioner "shell" {
    script          = "${path.root}/scripts/40-spark.sh"
    execute_command = local.execute_command
    environment_vars = [
      "SPARK_VERSION=${var.spark_version}",
      "SPARK_SOURCE=${var.spark_source}",
      "SPARK_SHA256=${var.spark_sha256}",
      "APACHE_URL=${var.apache_url}",
      "APACHE_ARCHIVE=${var.apache_archive}",
      "APACHE_KEYS_URL=${var.apache_keys_url}",
      "APACHE_SIGNERS=${join(" ", var.apache_signers)}",
    ]
  }

  provisioner "file" {
    source      = "${path.root}/files/profile.sh"
    destination = "/tmp/spark-profile.sh"
  }

  provisioner "file" {
    source      = "${path.root}/files/decom.sh"
    destination = "/tmp/spark-decom.sh"
  }

  provisioner "file" {
    source      = "${path.root}/files/entrypoint.sh"
    destination = "/tmp/spark-entrypoint.sh"
  }

  provisioner "shell" {
    script          = "${path.root}/scripts/50-user.sh"
    execute_command = local.execute_command
  }

  # From here on: what only a machine needs. The folder of units comes last, so that a change there repeats no package.
  provisioner "file" {
    only        = ["amazon-ebs.spark", "googlecompute.spark"]
    source      = "${path.root}/files/node-lib.sh"
    destination = "/tmp/spark-node-lib.sh"
  }

  provisioner "shell" {
    only            = ["amazon-ebs.spark", "googlecompute.spark"]
    script          = "${path.root}/scripts/60-system.sh"
    execute_command = local.execute_command
  }

  provisioner "shell" {
    only            = ["amazon-ebs.spark", "googlecompute.spark"]
    script          = "${path.root}/scripts/70-boot.sh"
    execute_command = local.execute_command
  }

  provisioner "shell" {
    only            = ["amazon-ebs.spark"]
    script          = "${path.root}/scripts/80-ec2.sh"
    execute_command = local.execute_command
  }

  provisioner "file" {
    only        = ["googlecompute.spark"]
    source      = "${path.root}/files/gce-nvme-name"
    destination = "/tmp/spark-gce-nvme-name"
  }

  provisioner "shell" {
    only            = ["googlecompute.spark"]
    script          = "${path.root}/scripts/80-gce.sh"
    execute_command = local.execute_command
  }

  provisioner "file" {
    only        = ["amazon-ebs.spark", "googlecompute.spark"]
    source      = "${path.root}/files/node"
    destination = "/tmp"
  }

  provisioner "shell" {
    only            = ["amazon-ebs.spark", "googlecompute.spark"]
    script          = "${path.root}/scripts/90-node.sh"
    execute_command = local.execute_command
  }

  post-processors {
    post-processor "docker-tag" {
      only       = ["docker.spark"]
      repository = var.docker_repository
      tags       = [var.spark_version]
    }
    post-processor "manifest" {}
  }
}

# make spark: install what is needed, build kiln, bake the Spark images into out/.
# make test:  install what is needed, build, run every test; ends with ctest's summary.
# make test-boot: start the machine images of out/ under QEMU, and small ones with Secure Boot on.
# See README.md and HACKING.md.

KILN := build/release/kiln
# More flags of kiln build: SPARK_FLAGS='-only=docker.*' makes the Docker image alone.
SPARK_FLAGS ?=

.PHONY: spark kiln test test-boot check bench clean

spark: kiln
	$(KILN) build -local $(SPARK_FLAGS) images/spark/spark.pkr.hcl

kiln:
	@tools/setup.sh build run
	@tools/configure.sh release
	@ninja -C build/release kiln

test:
	@tools/setup.sh build run test
	@tools/configure.sh release
	@tools/configure.sh asan
	@ninja -C build/release kiln
	@ninja -C build/asan unit_tests
	@tools/test.sh build/release

# Both machine images of out/ under BIOS and UEFI, as Master and as Worker, with upgrades; Secure Boot. Needs no KVM, and
# patience.
test-boot: kiln
	@tools/setup.sh run test
	@tests/boot/reads-clean.sh
	@tests/boot/secure-boot.sh
	@tests/boot/cluster.sh ec2-bios gce-uefi upgrade
	@tests/boot/cluster.sh gce-bios ec2-uefi upgrade

# Style: layers, sizes, format, shell; clang-tidy takes longer.
check:
	@tools/setup.sh build run test
	@tools/check.sh

bench: kiln
	@tools/setup.sh build run test
	@bench/run.sh

clean:
	rm -rf build

# make spark: install what is needed, build kiln, bake the Spark images into out/.
# make test:  install what is needed, build, run every test; ends with ctest's summary.
# See README.md and HACKING.md.

KILN := build/release/kiln
SPARK_FLAGS ?= -only=docker.*

.PHONY: spark kiln test check bench clean

spark: kiln
	$(KILN) build -local $(SPARK_FLAGS) images/spark/spark.pkr.hcl

kiln:
	@tools/setup.sh build run
	@tools/configure.sh release
	@ninja -C build/release kiln

test:
	@tools/setup.sh build run test
	@tools/configure.sh release
	@ninja -C build/release
	@tools/test.sh build/release

# Style: layers, sizes, format, shell; clang-tidy takes longer.
check:
	@tools/setup.sh build run test
	@tools/check.sh

bench: kiln
	@tools/setup.sh build run test
	@bench/run.sh

clean:
	rm -rf build

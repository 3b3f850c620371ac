# The programs: kiln itself and everything that needs the whole of it (end-to-end tests, benchmarks).
add_executable(kiln ${CMAKE_SOURCE_DIR}/src/cli/main.cc)
target_link_libraries(kiln PRIVATE kiln_cli)
target_precompile_headers(kiln REUSE_FROM kiln_base)

foreach(bench store sandbox image)
  if(EXISTS ${CMAKE_SOURCE_DIR}/bench/${bench}_bench.cc)
    add_executable(${bench}_bench EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/${bench}_bench.cc)
    target_link_libraries(${bench}_bench PRIVATE kiln_${bench} benchmark::benchmark)
  endif()
endforeach()

foreach(bench ext4 disk)
  add_executable(${bench}_bench EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/${bench}_bench.cc)
  target_link_libraries(${bench}_bench PRIVATE kiln_image)
endforeach()

if(NOT "program" IN_LIST KILN_TESTS)
  return()
endif()

# Each script of tests/e2e is a test named for its behaviour; 77 means skipped. docker-engine.sh and registry.sh are tools.
# What needs the Spark image waits for the one build of it; what runs clusters runs alone.
file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/e2e/*.sh)
list(FILTER scripts EXCLUDE REGEX "/(docker-engine|registry|bake-spark)\\.sh$")
set(spark_dir ${CMAKE_BINARY_DIR}/spark)
foreach(script ${scripts})
  get_filename_component(name ${script} NAME_WE)
  add_test(NAME e2e/${name} COMMAND ${script})
  set_tests_properties(e2e/${name} PROPERTIES TIMEOUT 1200 LABELS e2e SKIP_RETURN_CODE 77
    ENVIRONMENT "KILN_BIN=$<TARGET_FILE:kiln>;SPARK_DOCKER_TAR=${spark_dir}/spark-docker.tar")
  if(name MATCHES "^spark-(disk|docker|layers|same)")
    set_tests_properties(e2e/${name} PROPERTIES FIXTURES_REQUIRED spark)
  endif()
  if(name MATCHES "^spark-docker")
    set_tests_properties(e2e/${name} PROPERTIES RUN_SERIAL TRUE)
  endif()
endforeach()
add_test(NAME e2e/bake-spark COMMAND ${CMAKE_SOURCE_DIR}/tests/e2e/bake-spark.sh ${spark_dir})
set_tests_properties(e2e/bake-spark PROPERTIES TIMEOUT 1800 LABELS e2e FIXTURES_SETUP spark
  ENVIRONMENT "KILN_BIN=$<TARGET_FILE:kiln>")

# Machine images under QEMU (tests/boot), one guest after another: one of each cloud, of each firmware and of each role.
# make test-boot starts the other two as well, with upgrades.
function(kiln_boot_test name)
  add_test(NAME boot/${name} COMMAND ${CMAKE_SOURCE_DIR}/tests/boot/${ARGN})
  set_tests_properties(boot/${name} PROPERTIES TIMEOUT 7200 LABELS boot SKIP_RETURN_CODE 77
    FIXTURES_REQUIRED spark
    ENVIRONMENT "SPARK_EC2_DISK=${spark_dir}/spark-ec2.raw;SPARK_GCE_TAR=${spark_dir}/spark-gce.tar.gz")
endfunction()
kiln_boot_test(images-read-clean reads-clean.sh)
kiln_boot_test(ec2-bios-master-gce-uefi-worker cluster.sh ec2-bios gce-uefi)
set_tests_properties(boot/ec2-bios-master-gce-uefi-worker PROPERTIES RUN_SERIAL TRUE)

# The rooms' tests, where build/asan has them, are run with these.
if(NOT "unit" IN_LIST KILN_TESTS)
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${CMAKE_SOURCE_DIR}/cmake/UnitTests.cmake)
endif()

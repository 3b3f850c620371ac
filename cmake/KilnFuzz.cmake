# Harnesses of fuzz/, one program a reader, built with the sanitizers, libFuzzer in each. A test runs each for as many
# seconds as KILN_FUZZ_SECONDS says (fuzz/run.sh).
if(CMAKE_CXX_FLAGS MATCHES "fuzzer-no-link")
  foreach(pair tar:image unpack:image archive:image config:image disk:image ext4:image events:event template:template
      expression:template legacy:template)
    string(REGEX MATCH "([a-z0-9]+):([a-z]+)" _ ${pair})
    set(name ${CMAKE_MATCH_1})
    add_executable(${name}_fuzz ${CMAKE_SOURCE_DIR}/fuzz/${name}_fuzz.cc)
    target_include_directories(${name}_fuzz PRIVATE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name}_fuzz PRIVATE kiln_${CMAKE_MATCH_2})
    target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz/${name} COMMAND ${CMAKE_SOURCE_DIR}/fuzz/run.sh ${name})
    set_tests_properties(fuzz/${name} PROPERTIES TIMEOUT 7200 LABELS unit)
    add_dependencies(unit_tests ${name}_fuzz)
  endforeach()
endif()

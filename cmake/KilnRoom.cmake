# Headers that nearly every file reads are parsed once: by base for the rooms, by base's tests for the tests.
set(KILN_PCH <algorithm> <functional> <map> <optional> <memory> <set> <string> <vector> <chrono> base/error.h base/json.h)

# kiln_room(NAME [DEPENDS room...] [LIBS target...]): one static library of src/NAME/*.cc, and the test program
# kiln_NAME_test of src/NAME/*_test.cc where there are any. Sources are globbed, so no file can be forgotten.
function(kiln_room name)
  cmake_parse_arguments(R "" "" "DEPENDS;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc ${CMAKE_SOURCE_DIR}/src/${name}/*/*.cc)
  list(FILTER sources EXCLUDE REGEX "/sandbox/init/")  # a program of its own: KilnInit.cmake
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(TRANSFORM R_DEPENDS PREPEND kiln_)
  if(sources)
    add_library(kiln_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(kiln_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(kiln_${name} ${scope} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(kiln_${name} ${scope} ${R_DEPENDS} ${R_LIBS})
  if(name STREQUAL template)
    # g++ 12 at -O2 believes that it reads unset strings in a std::variant of strings and pointers, and copies of huge size.
    target_compile_options(kiln_template PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-stringop-overflow>)
  endif()
  if(name STREQUAL base)
    list(TRANSFORM KILN_PCH REPLACE "^base/" "${CMAKE_SOURCE_DIR}/src/base/" OUTPUT_VARIABLE headers)
    target_precompile_headers(kiln_base PRIVATE ${headers})
  elseif(sources)
    target_precompile_headers(kiln_${name} REUSE_FROM kiln_base)
  endif()
  if(tests)
    kiln_test(${name} ${tests})
  endif()
endfunction()

# kiln_test(ROOM source...): the room's unit tests as one program, each case known to ctest.
function(kiln_test room)
  add_executable(kiln_${room}_test ${ARGN})
  target_link_libraries(kiln_${room}_test PRIVATE kiln_${room} GTest::gtest GTest::gmock GTest::gtest_main)
  # The same g++ 12 false alarms, in what tests inline.
  target_compile_options(kiln_${room}_test PRIVATE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-stringop-overflow;-Wno-restrict;-Wno-array-bounds>)
  target_include_directories(kiln_${room}_test PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/tests)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_DEFINITIONS
    "KILN_TESTDATA=\"${CMAKE_SOURCE_DIR}/src/${room}/testdata\";KILN_SOURCE_DIR=\"${CMAKE_SOURCE_DIR}\"")
  if(room STREQUAL base)
    list(TRANSFORM KILN_PCH REPLACE "^base/" "${CMAKE_SOURCE_DIR}/src/base/" OUTPUT_VARIABLE headers)
    target_precompile_headers(kiln_base_test PRIVATE ${headers} <gtest/gtest.h> <gmock/gmock.h>)
  else()
    target_precompile_headers(kiln_${room}_test REUSE_FROM kiln_base_test)
  endif()
  add_test(NAME ${room} COMMAND kiln_${room}_test --gtest_brief=1)
  set_tests_properties(${room} PROPERTIES TIMEOUT 600 LABELS unit)
endfunction()

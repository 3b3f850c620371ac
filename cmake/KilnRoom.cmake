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
  if(tests)
    kiln_test(${name} ${tests})
  endif()
endfunction()

# kiln_test(ROOM source...): the room's unit tests as one program, each case known to ctest.
function(kiln_test room)
  add_executable(kiln_${room}_test ${ARGN})
  target_link_libraries(kiln_${room}_test PRIVATE kiln_${room} GTest::gtest GTest::gmock GTest::gtest_main)
  target_include_directories(kiln_${room}_test PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(kiln_${room}_test PRIVATE KILN_TESTDATA="${CMAKE_SOURCE_DIR}/src/${room}/testdata"
    KILN_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_test(NAME ${room} COMMAND kiln_${room}_test --gtest_brief=1)
  set_tests_properties(${room} PROPERTIES TIMEOUT 600 LABELS unit)
endfunction()

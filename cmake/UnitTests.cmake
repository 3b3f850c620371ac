# Read by ctest, not by CMake: the tests of build/asan become tests of build/release as well.
if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/../build/asan/CTestTestfile.cmake)
  include(${CMAKE_CURRENT_LIST_DIR}/../build/asan/CTestTestfile.cmake)
endif()

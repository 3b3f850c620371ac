# The programs: kiln itself and everything that needs the whole of it (end-to-end tests, benchmarks).
if(EXISTS ${CMAKE_SOURCE_DIR}/src/cli/main.cc)
  add_executable(kiln ${CMAKE_SOURCE_DIR}/src/cli/main.cc)
  target_link_libraries(kiln PRIVATE kiln_cli)
endif()

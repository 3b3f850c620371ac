# kiln-init, PID 1 of every step: a small static program whose bytes become part of the sandbox room (init_image.cc).
set(KILN_INIT ${CMAKE_BINARY_DIR}/kiln-init)
file(GLOB init_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/sandbox/init/*.cc)
add_executable(kiln-init ${init_sources})
target_include_directories(kiln-init PRIVATE ${CMAKE_SOURCE_DIR}/src)
# Sanitizers cannot watch a static program that is started with nothing mapped; its tests run through the room's.
target_compile_options(kiln-init PRIVATE -O2 -g0 -fno-sanitize=all -fno-exceptions -fno-rtti -fno-threadsafe-statics)
target_link_options(kiln-init PRIVATE -static -s -fno-sanitize=all -Wl,--gc-sections)
set_target_properties(kiln-init PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/sandbox/init_image.cc PROPERTIES OBJECT_DEPENDS ${KILN_INIT}
  COMPILE_DEFINITIONS KILN_INIT_PATH="${KILN_INIT}")

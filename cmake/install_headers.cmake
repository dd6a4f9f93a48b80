# SPDX-License-Identifier: Apache-2.0
# Run when installing: copies the headers that users may include, and those they need, to include/strata, with their includes
# written as <strata/...> users see them. Everything else is internal and stays out.
# SOURCE and GENERATED: where headers are; DESTINATION: the include directory; ROOTS: where users begin.
cmake_policy(SET CMP0057 NEW)  # if(IN_LIST), also without a project around
set(pending ${ROOTS})
set(seen "")
while(pending)
  list(POP_FRONT pending header)
  if(header IN_LIST seen)
    continue()
  endif()
  list(APPEND seen ${header})
  set(file ${SOURCE}/${header})
  if(NOT EXISTS ${file})
    set(file ${GENERATED}/${header})
  endif()
  file(READ ${file} text)
  string(REGEX MATCHALL "#include \"[^\"\n]+\"" includes "${text}")
  foreach(include IN LISTS includes)
    string(REGEX REPLACE "#include \"([^\"]+)\"" "\\1" included "${include}")
    list(APPEND pending ${included})
  endforeach()
  string(REGEX REPLACE "#include \"(core|layers|distributed|io)/" "#include \"strata/\\1/" text "${text}")
  string(REGEX REPLACE "^strata/" "" target ${header})
  file(WRITE ${DESTINATION}/strata/${target} "${text}")
endwhile()
list(LENGTH seen count)
message(STATUS "Installed ${count} headers: ${DESTINATION}/strata")

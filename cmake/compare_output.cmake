# cmake -DPROGRAM=... -DEXPECTED=... -P compare_output.cmake: run a program and compare what it prints.
execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE got RESULT_VARIABLE status)
file(READ ${EXPECTED} expected)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "${PROGRAM} ended with ${status}")
endif()
if(NOT got STREQUAL expected)
    message(FATAL_ERROR "the output differs from ${EXPECTED}\n--- expected\n${expected}\n--- got\n${got}")
endif()

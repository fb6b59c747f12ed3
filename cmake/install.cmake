# Headers, library and package files for find_package(anderhalf). In a wheel all of it lands inside anderhalf/.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
if(SKBUILD)
    set(CMAKE_INSTALL_LIBDIR lib)
    set(CMAKE_INSTALL_INCLUDEDIR include)
endif()
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/anderhalf)

install(TARGETS anderhalf EXPORT anderhalfTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT cpp)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/anderhalf DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT cpp
        FILES_MATCHING PATTERN *.hpp)
install(EXPORT anderhalfTargets NAMESPACE anderhalf:: DESTINATION ${package_dir} COMPONENT cpp)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/anderhalfConfig.cmake.in
                              ${CMAKE_CURRENT_BINARY_DIR}/anderhalfConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/anderhalfConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/anderhalfConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/anderhalfConfigVersion.cmake
        DESTINATION ${package_dir} COMPONENT cpp)

# Data that the installed Python package reads.
if(SKBUILD)
    foreach(folder params scenarios)
        if(EXISTS ${PROJECT_SOURCE_DIR}/${folder})
            install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder} DESTINATION . COMPONENT python)
        endif()
    endforeach()
endif()

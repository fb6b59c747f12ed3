# System first, then the headers that PyPI wheels carry (docs/decisions/0001-system-first.md). Nothing is downloaded here.

find_package(Threads REQUIRED)

# Wheels with headers, in a site-packages that someone put on CMAKE_PREFIX_PATH.
set(wheels "")
string(REPLACE ":" ";" prefixes "$ENV{CMAKE_PREFIX_PATH}")
foreach(prefix ${CMAKE_PREFIX_PATH} ${prefixes})
    foreach(folder pgm_build_deps/eigen pgm_build_deps/boost cmeel.prefix libboost_headers)
        if(EXISTS ${prefix}/${folder})
            list(APPEND wheels ${prefix}/${folder})
        endif()
    endforeach()
endforeach()

# Eigen, without a version: asking for 3.4 would refuse 5.
if(NOT TARGET Eigen3::Eigen)
    find_package(Eigen3 CONFIG QUIET HINTS ${wheels})
    if(NOT TARGET Eigen3::Eigen)
        find_path(ANDERHALF_EIGEN_DIR Eigen/Core HINTS ${wheels} PATH_SUFFIXES include/eigen3 eigen3)
        mark_as_advanced(ANDERHALF_EIGEN_DIR)
        if(NOT ANDERHALF_EIGEN_DIR)
            message(FATAL_ERROR "anderhalf needs Eigen: apt install libeigen3-dev, or pip install pgm-build-deps and put "
                                "site-packages on CMAKE_PREFIX_PATH")
        endif()
        add_library(Eigen3::Eigen INTERFACE IMPORTED)
        target_include_directories(Eigen3::Eigen SYSTEM INTERFACE ${ANDERHALF_EIGEN_DIR})
    endif()
endif()

# Boost.Math, headers only. CMake 4 has no FindBoost, and not every copy of the headers has a configuration.
set(boost_header boost/math/distributions/normal.hpp)
find_path(ANDERHALF_BOOST_DIR ${boost_header} HINTS ${wheels} PATH_SUFFIXES include NO_DEFAULT_PATH)
if(NOT ANDERHALF_BOOST_DIR)
    find_package(Boost CONFIG QUIET)
    if(TARGET Boost::headers)
        get_target_property(boost_dir Boost::headers INTERFACE_INCLUDE_DIRECTORIES)
        set(ANDERHALF_BOOST_DIR ${boost_dir} CACHE PATH "Folder that holds boost/math" FORCE)
    else()
        find_path(ANDERHALF_BOOST_DIR ${boost_header})
    endif()
endif()
mark_as_advanced(ANDERHALF_BOOST_DIR)
if(NOT ANDERHALF_BOOST_DIR)
    message(FATAL_ERROR "anderhalf needs Boost.Math: apt install libboost-dev, or pip install pgm-build-deps and put "
                        "site-packages on CMAKE_PREFIX_PATH")
endif()
# Not exported: no header of ours includes Boost.
add_library(anderhalf_boost INTERFACE)
target_include_directories(anderhalf_boost SYSTEM INTERFACE ${ANDERHALF_BOOST_DIR})

if(ANDERHALF_PYTHON)
    find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module)
    find_package(pybind11 2.13 CONFIG QUIET)
    if(NOT pybind11_FOUND)
        execute_process(COMMAND ${Python_EXECUTABLE} -m pybind11 --cmakedir
                        OUTPUT_VARIABLE _anderhalf_pybind11 OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
        find_package(pybind11 2.13 CONFIG REQUIRED HINTS ${_anderhalf_pybind11})
    endif()
endif()

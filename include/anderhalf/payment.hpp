#pragma once
#include <anderhalf/payment/payment.hpp>

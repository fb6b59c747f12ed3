#pragma once
#include <anderhalf/own_payment/own_payment.hpp>

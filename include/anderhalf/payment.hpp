#pragma once
#include <anderhalf/payment/class_totals.hpp>
#include <anderhalf/payment/excess.hpp>
#include <anderhalf/payment/payment.hpp>
#include <anderhalf/payment/statement.hpp>

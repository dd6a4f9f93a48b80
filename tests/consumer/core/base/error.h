// SPDX-License-Identifier: Apache-2.0
// An application's own header of a name that Strata has too: Strata's installed headers must not find this one.
#error "Strata's installed headers include a header of the application"

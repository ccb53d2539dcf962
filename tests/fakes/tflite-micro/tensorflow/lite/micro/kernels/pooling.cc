// SPDX-License-Identifier: Apache-2.0
#error "another folder's file takes the place of this one"

# SPDX-License-Identifier: Apache-2.0
"""Instructions of snippets that reach no device: they are carried out on the way between accesses.

r1 is positive, r2 negative, and each flag is looked at by what follows.
"""

BETWEEN = {
    "sums": """
        adds r3, r1, #7; adcs r3, r2; sbcs r5, r3, r1; rsbs r6, r2, #0; sbc r7, r2, #3;
        add.w r8, r3, r2, lsl #3; subs.w r9, r8, r1, lsr #4; adcs.w r10, r9, r2, asr #5;
        adds.w r11, r10, r1, ror #7; addw r6, r6, #0xabc; subw r7, r7, #0xabc; sbcs r3, r3;
        adc r0, r5
    """,
    "comparisons": """
        cmn r1, r2; adc r5, r1, r2; cmp r2, r1; sbc r6, r1, r2; tst r1, #0xff000000;
        adc r7, r7, #0; teq r1, r2, lsl #3; adc r8, r8, #0; cmp.w r1, r2, ror #9;
        adc r9, r9, #0
    """,
    "logic": """
        ands r3, r1, #0x80000000; adc r5, r5, #0; orrs r6, r1, #0x00ff00ff; eors r7, r2, r1;
        bics r8, r2, r1, lsl #1; adc r9, r9, #0; orn r10, r1, r2, lsr #32;
        mvns r11, #0x3fc00; adc r0, r0, #0; movs.w r3, #0xff000000; and r3, r3, r2;
        bic r2, #0x1f
    """,
    "shifts": """
        lsls r3, r1, #31; adc r5, #0; lsrs r6, r2, #32; adc r5, #0; asrs r7, r2, #32;
        adc r5, #0; rors.w r8, r1, #1; adc r5, #0; movs r3, #33; lsls.w r9, r1, r3;
        adc r5, #0; asrs.w r10, r2, r3; adc r5, #0; movs r3, #255; rors.w r11, r1, r3;
        adc r5, #0; lsrs.w r8, r3; movs r3, #0; lsls r1, r3; adc r5, #0; movs r3, #32;
        lsrs r2, r3; adc r5, #0
    """,
    "fields": """
        ubfx r3, r1, #5, #9; sbfx r5, r2, #3, #29; uxtb r6, r1; uxth r7, r2; sxtb r8, r1;
        sxth r9, r2; clz r10, r3; mul r11, r1, r2; mla r0, r1, r2, r3; mls r3, r1, r5, r2;
        movw r5, #0xfedc; movt r5, #0x8765; udiv r6, r2, r7; udiv r7, r2, r10;
        eor r8, r8, r9
    """,
    "branches": """
        cmp r1, r2; bhi 1f; adds r3, #1; 1: bls 2f; adds r3, #2; 2: bge 3f; adds r3, #4;
        3: blt 4f; adds r3, #8; 4: bvs.w 5f; adds r3, #16; 5: cbz r3, 6f; adds r3, #32;
        6: bl 8f; adds r3, #64; b 9f; 8: adds r3, #128; bx lr; 9: cbnz r5, 1f; adds r3, #1;
        1: bmi 1f; mov r6, r3; 1: bcs 1f; mov r7, r3; 1: bpl 1f; mov r8, r3; 1: bgt 1f;
        mov r9, r3; 1: ble 1f; mov r10, r3; 1:
    """,
    "it": """
        cmp r1, r2; ittet hi; addhi r3, #1; lslhi r5, r1, #2; movls r6, #3; subhi r7, r7, r1;
        itt le; movle r8, #1; cmple r8, #1; ite eq; moveq r9, #2; movne r9, #3
    """,
    "memory": """
        push {r2, r3, r6, r7}; ldr r5, [r4]; pop {r2, r3, r6, r7}; push {r1, r2};
        ldrsb r6, [sp, #7];
        ldrh r7, [sp], #4; strb r1, [sp, #1]; ldr r8, [sp]; ldr r3, =0x12345678;
        strd r3, r1, [sp, #-8]!; ldmia sp!, {r9, r10}; push {r3}; mov r0, sp;
        ldr.w r11, [r0, #2]; add sp, #8; mov r0, #0
    """,
    "return": """
        push {r0-r3}; ldr r5, [r4]; pop {r0-r3}; push {r0, lr}; bl 1f; b 2f;
        1: push {r5, lr}; adds r3, #3; pop {r6, pc}; 2: pop {r7, lr}; adds r3, #5
    """,
    "a loop": """
        movs r3, #0; movs r5, #0; 1: adds r3, r3, r1; ldr r6, [r4, #4]; adds r5, #1;
        cmp r5, #9; bne 1b; dsb; isb; nop; nop.w
    """,
}
